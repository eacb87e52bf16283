//! How a cluster differs from its spec, and the smallest request that puts it right.

use super::wanted::{Refs, Wanted};
use crate::action::Action;
use crate::diff::{Difference, differences, without_nulls};
use crate::tags;
use serde_json::{Value, json};

/// What differs, of what the spec sets.
pub(super) fn drift(wanted: &Wanted, have: &Value) -> Vec<Difference> {
    let mut want = wanted.body.clone();
    if let Some(body) = want.as_object_mut() {
        body.remove("location");
    }
    let cluster = &mut want["properties"]["properties"];
    // The account on nodes is compared where the spec has one.
    let has_account = cluster["userAccountCredentials"].is_object();
    if let Some(cluster) = cluster.as_object_mut() {
        cluster.remove("osType");
        if !has_account {
            cluster.remove("remoteLoginPortPublicAccess");
        }
    }
    if let Some(properties) = want["properties"].as_object_mut().filter(|_| !has_account) {
        properties.remove("disableLocalAuth");
    }
    // What was given when a cluster was made is not always shown; what is not shown cannot be compared.
    let is_shown = |difference: &Difference| !difference.have.is_null() || is_mutable(&difference.path);
    // A cluster without an identity has none to show.
    let is_no_identity = |difference: &Difference| {
        difference.path == "identity.type" && difference.want == "None" && difference.have.is_null()
    };
    let mut found: Vec<Difference> = differences(&want, have)
        .into_iter()
        .filter(|difference| is_shown(difference) && !is_no_identity(difference) && !is_same_key(difference))
        .collect();
    found.extend(surplus_identities(&want, have));
    found
}

/// Whether a public key differs in what is no part of it: its comment.
fn is_same_key(Difference { path, want, have }: &Difference) -> bool {
    let key = |value: &Value| -> Vec<String> {
        value.as_str().unwrap_or_default().split_whitespace().take(2).map(str::to_owned).collect()
    };
    path.ends_with(".adminUserSshPublicKey") && key(want) == key(have)
}

/// Identities that the spec does not name: the one list of which the spec sets the whole.
fn surplus_identities(want: &Value, have: &Value) -> Option<Difference> {
    let wanted = want["identity"]["userAssignedIdentities"].as_object()?;
    let there = have["identity"]["userAssignedIdentities"].as_object()?;
    let is_known = |id: &String| wanted.keys().any(|key| key.eq_ignore_ascii_case(id));
    let surplus: Vec<&String> = there.keys().filter(|id| !is_known(id)).collect();
    (!surplus.is_empty()).then(|| Difference {
        path: "identity.userAssignedIdentities".to_owned(),
        want: json!(wanted.keys().collect::<Vec<_>>()),
        have: json!(there.keys().collect::<Vec<_>>()),
    })
}

/// Only scale, tags and identity are changed in place.
pub(super) fn is_mutable(path: &str) -> bool {
    path.starts_with("properties.properties.scaleSettings.")
        || path.starts_with("tags.")
        || path.starts_with("identity")
}

/// Whether the plan for a cluster would be a PUT of the whole, which needs a new read.
#[must_use]
pub fn is_overwritten(refs: &Refs, wanted: &Wanted, have: &Value) -> bool {
    let drift = drift(wanted, have);
    !drift.is_empty() && !is_scale_alone(refs, &drift)
}

fn is_scale_alone(refs: &Refs, drift: &[Difference]) -> bool {
    refs.scales_by_patch && drift.iter().all(|difference| difference.path.contains(".scaleSettings."))
}

/// The smallest change: scale alone has an operation of its own, that can overwrite nothing else.
pub(super) fn update(refs: &Refs, wanted: &Wanted, have: &Value, drift: &[Difference]) -> Action {
    let id = wanted.id.clone();
    let scale = &wanted.body["properties"]["properties"]["scaleSettings"];
    if is_scale_alone(refs, drift) {
        return Action::Patch { id, body: json!({"properties": {"properties": {"scaleSettings": scale}}}) };
    }
    let mut body = writable(have);
    body["properties"]["properties"]["scaleSettings"].clone_from(scale);
    if let (Some(tags), Some(more)) = (body["tags"].as_object_mut(), wanted.body["tags"].as_object()) {
        tags::merge(tags, more);
    }
    if let Some(identity) = wanted.body.get("identity") {
        body["identity"].clone_from(identity);
    }
    Action::Put { id, body }
}

/// What was read, without what only Azure may say.
fn writable(have: &Value) -> Value {
    let pick = |from: &Value, keys: &[&str]| -> Value {
        keys.iter()
            .filter_map(|key| Some(((*key).to_owned(), without_nulls(from.get(*key)?)?)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut body = pick(have, &["location", "identity", "tags", "sku"]);
    if !body["tags"].is_object() {
        body["tags"] = json!({});
    }
    body["properties"] = pick(
        &have["properties"],
        &["computeType", "computeLocation", "description", "disableLocalAuth", "resourceId"],
    );
    body["properties"]["properties"] = pick(
        &have["properties"]["properties"],
        &[
            "osType",
            "vmSize",
            "vmPriority",
            "virtualMachineImage",
            "isolatedNetwork",
            "scaleSettings",
            "userAccountCredentials",
            "subnet",
            "remoteLoginPortPublicAccess",
            "enableNodePublicIp",
            "propertyBag",
        ],
    );
    body
}
