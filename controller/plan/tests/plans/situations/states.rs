//! Every state that an object can be in, as GitOps tools see it: what the functions that write `status` make of every
//! situation. In: the tables of the kinds, and what the loop says of objects of any kind. Out: a snapshot that others read.

use super::{Row, Table};
use crate::support::{NOW, ask};
use anyhow::{Context as _, Result};
use azureml_client::Class;
use azureml_crds::shared::{Common, LastFailure};
use azureml_plan::action::State;
use azureml_plan::failure;
use azureml_plan::reasons::{self, Reason, Word};
use azureml_plan::report::{self, Passed};
use azureml_plan::trouble::Trouble;
use azureml_plan::{Next, Plan, Verdict};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ALL: &[&str] =
    &["MLWorkspace", "MLCompute", "MLEnvironment", "MLData", "MLPipeline", "MLSchedule", "MLRun"];
/// All that name a workspace, if by way of a pipeline.
const INSIDE: &[&str] = &["MLCompute", "MLEnvironment", "MLData", "MLPipeline", "MLSchedule", "MLRun"];

/// What the loop says when it cannot come to a plan: whose object, the situation, the state, the reason.
const WAITS: &[(&[&str], &str, State, &str)] = &[
    (INSIDE, "an object that it names is not there", State::Working, "ReferenceNotFound"),
    (
        &["MLPipeline", "MLSchedule", "MLRun"],
        "an object that it names is not ready",
        State::Working,
        "ReferenceNotReady",
    ),
    (
        INSIDE,
        "a workspace of another namespace does not allow its own",
        State::Working,
        "ReferenceNotPermitted",
    ),
    (
        INSIDE,
        "a workspace of another namespace was made anew for another one",
        State::Stalled,
        "WorkspaceChanged",
    ),
    (INSIDE, "its workspace is not ready", State::Working, "WorkspaceNotReady"),
    (ALL, "no grant lets its namespace use the identity", State::Stalled, "IdentityNotGranted"),
    (ALL, "the configuration has no such cloud", State::Stalled, "UnknownCloud"),
    (ALL, "the Secret of its identity is not there", State::Working, "SecretNotFound"),
    (ALL, "the Secret of its identity has no such key", State::Stalled, "SecretIncomplete"),
    (ALL, "the Secret of its identity cannot be read", State::Working, "SecretUnreadable"),
    (ALL, "its spec means nothing", State::Stalled, "InvalidSpec"),
    (&["MLSchedule"], "Kubernetes lets it make no MLRun", State::Working, "RunNotMade"),
    (&["MLPipeline"], "files that it takes from elsewhere cannot be had now", State::Working, "SourceFailed"),
    (&["MLPipeline"], "files that it takes from elsewhere are refused", State::Stalled, "SourceFailed"),
    (&["MLSchedule"], "an input of it is not the pipeline's", State::Stalled, "InvalidInputs"),
    (
        &["MLEnvironment"],
        "it is to be built, and its workspace has no registry",
        State::Stalled,
        "NoRegistry",
    ),
];

/// What Azure answers: the situation, what it means, how often in a row, a code of Azure.
const ANSWERS: &[(&str, Class, i32, &str)] = &[
    ("Azure does not answer", Class::Unavailable, 1, "InternalServerError"),
    ("Azure asks for patience", Class::Throttled, 1, "TooManyRequests"),
    ("something else goes on with the resource", Class::Conflict, 1, "Conflict"),
    ("something else goes on with it for half an hour", Class::Conflict, 8, "Conflict"),
    ("what it needs is gone from Azure", Class::Gone, 1, "ResourceNotFound"),
    ("something that it names is not in Azure", Class::Missing, 1, "NotFound"),
    ("something that it names is still not in Azure at the sixth try", Class::Missing, 6, "NotFound"),
    ("a policy forbids it", Class::Denied, 1, "RequestDisallowedByPolicy"),
    ("a permission is missing", Class::Forbidden, 1, "AuthorizationFailed"),
    ("a permission is still missing at the sixth try", Class::Forbidden, 6, "AuthorizationFailed"),
    ("Azure refuses the request", Class::Invalid, 1, "BadRequest"),
    ("a quota is used up", Class::Quota, 1, "QuotaExceeded"),
];

/// What the loop says of objects that are being deleted.
const LEAVING: &[(&[&str], &str, &str)] = &[
    (&["MLWorkspace", "MLCompute", "MLEnvironment", "MLPipeline"], "deleted while others name it", "InUse"),
    (INSIDE, "deleted, and Azure refuses", "DeletionBlocked"),
    (INSIDE, "deleted, and Azure does not answer", "InternalServerError"),
];

/// How a pass went that is nothing special.
fn passed(plan: Plan) -> Passed {
    Passed { plan, last_failure: None, is_handled: true, is_paused: false, generation: Some(1) }
}

/// A state: whose, in which situation, what is meant, what GitOps tools read of it.
fn state(kinds: &[&str], situation: &str, meant: &str, passed: Passed) -> Value {
    let common = report::common(Common::default(), passed, &ask());
    let mut metadata = json!({"generation": 1});
    if meant == "Leaving" {
        metadata["deletionTimestamp"] = json!(NOW);
    }
    let status = json!({"observedGeneration": common.observed_generation, "conditions": common.conditions});
    json!({"kinds": kinds, "situation": situation, "meant": meant, "object": {"metadata": metadata, "status": status}})
}

fn meant(state: State) -> &'static str {
    match state {
        State::Ready => "Ready",
        State::Working => "Working",
        State::Stalled => "Stalled",
    }
}

/// What every object passes through, and what stops any object.
fn of_every_kind() -> Vec<Value> {
    let say = |state, reason: &str| {
        let (reason, message) = (Word::passed_on(reason), "why, for people".to_owned());
        let verdict = Verdict { state, reason, message };
        passed(Plan::say(verdict, Next::Tick))
    };
    let mut fresh = state(ALL, "just made", "New", say(State::Working, "New"));
    fresh["object"]["status"] = json!({"observedGeneration": -1});
    let mut changed = state(ALL, "changed since the last pass", "New", say(State::Ready, "Succeeded"));
    changed["object"]["metadata"]["generation"] = json!(2);
    let is_paused = |passed: Passed| Passed { is_paused: true, ..passed };
    let last = LastFailure { reason: "QuotaExceeded".to_owned(), count: 1, at: Time(NOW), stalled: true };
    let again = Passed { last_failure: Some(last), ..say(State::Working, "Creating") };
    let mut states = vec![
        fresh,
        changed,
        state(ALL, "paused, with nothing to do", "Paused", is_paused(say(State::Ready, "Succeeded"))),
        state(ALL, "paused, with something to do", "Paused", is_paused(say(State::Working, "Updating"))),
        state(ALL, "stalled, and being tried again", "Stalled", again),
    ];
    states.extend(
        WAITS
            .iter()
            .map(|(kinds, situation, is, reason)| state(kinds, situation, meant(*is), say(*is, reason))),
    );
    states.extend(ANSWERS.iter().map(|(situation, class, count, code)| {
        let (reason, message) = (Word::passed_on(code), "what Azure says".to_owned());
        let words = String::new();
        let trouble = Trouble { class: *class, reason, message, words, verb: "PUT", retry_after: None };
        let consequence = failure::consequence(&trouble, *count, &ask().pace);
        let plan = Plan::say(consequence.verdict, consequence.next);
        state(ALL, situation, meant(plan.verdict.state), passed(plan))
    }));
    states.extend(
        LEAVING.iter().map(|(kinds, situation, reason)| {
            state(kinds, situation, "Leaving", say(State::Working, reason))
        }),
    );
    states
}

/// What a kind says of itself: one state for all situations that look alike to others.
fn of_a_kind(kind: &str, tables: Vec<Table>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let rows = tables
        .into_iter()
        .flat_map(|table| table.rows)
        .filter(|row| !matches!(row.plan.next, Next::Leave | Next::Absent));
    let told = rows.filter_map(|Row { situation, plan, is_leaving }| {
        let meant = if is_leaving { "Leaving" } else { meant(plan.verdict.state) };
        if !seen.insert((meant, plan.verdict.reason.to_string(), own_states(&plan))) {
            return None;
        }
        Some(state(&[kind], &situation, meant, passed(plan)))
    });
    told.collect()
}

fn own_states(plan: &Plan) -> Vec<(&'static str, &'static str, &'static str)> {
    plan.conditions.iter().map(|own| (own.r#type, own.status, own.reason.word())).collect()
}

fn all() -> Result<Vec<Value>> {
    let mut states = of_every_kind();
    states.extend(of_a_kind("MLWorkspace", vec![super::workspace::table()?]));
    states.extend(of_a_kind("MLCompute", vec![super::compute::table()?, super::compute::left()?]));
    states.extend(of_a_kind(
        "MLEnvironment",
        vec![super::environment::table()?, super::environment::dockerless()?, super::environment::left()?],
    ));
    states.extend(of_a_kind("MLData", vec![super::data::table()?, super::data::left()?]));
    states.extend(of_a_kind("MLPipeline", vec![super::pipeline::table()?, super::pipeline::left()?]));
    states.extend(of_a_kind("MLSchedule", vec![super::schedule::table()?, super::fired_here::table()?]));
    states.extend(of_a_kind("MLRun", vec![super::run::table()?]));
    Ok(states)
}

#[test]
fn the_states_are_these() -> Result<()> {
    insta::assert_json_snapshot!(all()?);
    Ok(())
}

/// The state and the reason of each verdict that the source says in so many words.
fn said(source: &str) -> Vec<(&'static str, Reason)> {
    let of = [
        ("Verdict::ready(", "Ready"),
        ("Verdict::working(", "Working"),
        ("Verdict::stalled(", "Stalled"),
        ("Wait::new(", "Working"),
        ("Wait::stalled(", "Stalled"),
    ];
    let calls =
        of.iter().flat_map(|(call, state)| source.split(call).skip(1).map(move |rest| (*state, rest)));
    let reasons = calls.filter_map(|(state, rest)| {
        let name =
            rest.trim_start().strip_prefix("Reason::")?.split([',', '.', ')']).next()?.replace('_', "");
        let all = reasons::ALL.iter().flat_map(|chapter| chapter.reasons);
        let reason = all.into_iter().find(|reason| reason.word().eq_ignore_ascii_case(&name))?;
        Some((state, *reason))
    });
    reasons.collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn every_reason_that_the_code_says_has_a_state() -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&here.join("src"), &mut files)?;
    sources(&here.join("../src"), &mut files)?;
    let states = all()?;
    let has = |meant: &str, reason: Reason| {
        states.iter().any(|state| {
            let of_state = |wanted: &str| match wanted {
                "Ready" => "True",
                _ => "False",
            };
            let ready = &state["object"]["status"]["conditions"][0];
            let is_kept = state["meant"] == "Leaving" || state["meant"] == meant;
            is_kept && ready["reason"] == reason.word() && ready["status"] == of_state(meant)
        })
    };
    let (mut missing, mut count) = (BTreeSet::new(), 0);
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        // What a file's own tests say is no state.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (meant, reason) in said(text) {
            count += 1;
            if !has(meant, reason) {
                missing.insert(format!("{meant} {reason} ({})", file.display()));
            }
        }
    }
    assert!(count > 50, "the source is not read: {count}");
    assert!(missing.is_empty(), "{missing:#?}");
    Ok(())
}
