//! Registering a version: files first, then the steps, then the whole.

use super::seen::{Presence, Seen};
use super::wanted::{Refs, Wanted};
use crate::action::{Action, Files, Next, Plan, Room, Verdict};
use crate::asset::changed;
use crate::component::{Code, Own, Prepared};
use crate::reasons::Reason;
use crate::{component, publish};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use serde_json::{Value, json};

/// What may be sent now: files, then the steps whose files are there, then the whole.
pub(super) fn register(pipeline: &MLPipeline, refs: &Refs, wanted: &Wanted, seen: &Seen) -> Plan {
    let missing: Vec<(&Prepared, &Own)> =
        wanted.owned().filter(|(step, _)| presence(seen, step) != &Presence::Here).collect();
    let mut actions: Vec<Action> = missing
        .iter()
        .filter_map(|(step, own)| register_step(presence(seen, step), (seen, wanted), own))
        .collect();
    let needed = |code: &&component::Files| {
        let is_of = |own: &Own| own.code.as_ref().is_some_and(|own| own.content() == code.hash);
        missing.iter().any(|(step, own)| is_of(own) && presence(seen, step) == &Presence::Absent)
    };
    let absent = wanted.codes().into_iter().filter(|code| !seen.codes.contains_key(&code.hash));
    actions.extend(absent.filter(needed).map(upload));
    if missing.is_empty() {
        // Also where it is archived: what is read of it has no `jobs`, and sent back as it is it would have none.
        actions.push(Action::Put { id: wanted.id.clone(), body: wanted.body.clone() });
    }
    actions.extend(publish::create_endpoint(pipeline, refs, wanted, &seen.publication));
    let verdict =
        Verdict::working(Reason::REGISTERING, format!("version {} is being registered", wanted.id.name()));
    Plan::send(actions, verdict, Next::Now)
}

fn presence<'a>(seen: &'a Seen, step: &Prepared) -> &'a Presence {
    seen.steps.get(&step.name).unwrap_or(&Presence::Absent)
}

/// The step's component, once its files are there.
fn register_step(presence: &Presence, (seen, wanted): (&Seen, &Wanted), own: &Own) -> Option<Action> {
    if let Presence::Archived(body) = presence {
        return Some(unarchive(&own.id, body, wanted));
    }
    let code = match &own.code {
        Some(Code::Files(files)) => Some(seen.codes.get(&files.hash)?),
        Some(Code::Asset(id)) => Some(id),
        None => None,
    };
    Some(Action::Put { id: own.id.clone(), body: component::with_code(own, code) })
}

/// The component of a step as it was read, no longer archived, and this pipeline's: Azure takes its own rewritten spec back.
fn unarchive(id: &ArmId, body: &Value, wanted: &Wanted) -> Action {
    let want = json!({"isArchived": false, "tags": wanted.tags});
    Action::Put { id: id.clone(), body: changed(&body["properties"], &want) }
}

/// Code is shared by content: it carries no owner.
fn upload(code: &component::Files) -> Action {
    Action::Upload {
        room: Room::Code(code.id.clone()),
        files: Files::OfObject { hash: code.hash.clone() },
        id: code.id.clone(),
        body: json!({"properties": {
            "isAnonymous": true,
            "properties": {"hash_sha256": code.hash, "hash_version": "202208"},
            "tags": {},
        }}),
        pointer: "/properties/codeUri",
    }
}
