//! The MLRuns of a schedule of engine Controller: the one for a firing time, and those that there are.
//!
//! In: a schedule, a firing time; the MLRuns of its namespace. Out: an object to make; what is known of those that were made.

use crate::change::Which;
use crate::failure::whole_seconds;
use crate::job::TRIGGER_TIME;
use crate::names;
use azureml_crds::ml_run::Phase;
use azureml_crds::ml_schedule::ScheduledRun;
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLRun, MLSchedule};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Resource as _;
use kube::core::ObjectMeta;
use serde_json::{Value, json};

/// The label that says which schedule made an MLRun.
pub const LABEL: &str = "azureml.dev/schedule";
/// The annotation that says for which moment it was made.
pub const FIRES_AT: &str = "azureml.dev/fires-at";

/// An MLRun that a schedule made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The MLRun.
    pub which: Which,
    /// How it ended; none while it goes on.
    pub ended: Option<Phase>,
    /// When it ended.
    pub at: Option<Timestamp>,
    /// Whether its cancellation is wanted already.
    pub is_going: bool,
    /// Whether it is being deleted.
    pub is_deleted: bool,
    /// As the schedule tells it.
    pub run: ScheduledRun,
}

/// The controlling owner of an object, where it is of a kind.
#[must_use]
pub fn owner_of<'a>(meta: &'a ObjectMeta, kind: &str) -> Option<(&'a str, &'a str)> {
    let owners = meta.owner_references.as_deref().unwrap_or_default();
    let ours = |owner: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference| {
        owner.controller == Some(true) && owner.kind == kind && owner.api_version.starts_with("azureml.dev/")
    };
    owners.iter().find(ours).map(|owner| (owner.name.as_str(), owner.uid.as_str()))
}

/// What is known of an MLRun; none where another object made it.
#[must_use]
pub fn made(schedule: &MLSchedule, run: &MLRun) -> Option<Made> {
    let (_, uid) = owner_of(&run.metadata, &MLSchedule::kind(&()))?;
    if schedule.metadata.uid.as_deref() != Some(uid) {
        return None;
    }
    let status = run.status.as_ref();
    let ended = status.and_then(|status| status.phase).filter(|phase| phase.is_finished());
    let meta = &run.metadata;
    let which = Which { name: meta.name.clone()?, uid: meta.uid.clone()? };
    let at = status.and_then(|status| status.finished_at.as_ref()).map(|at| at.0);
    let is_going = run.spec.cancel == Some(true);
    let is_deleted = meta.deletion_timestamp.is_some();
    Some(Made { which, ended, at, is_going, is_deleted, run: told_of(run) })
}

/// An MLRun as its schedule tells it.
fn told_of(run: &MLRun) -> ScheduledRun {
    let (meta, status) = (&run.metadata, run.status.clone().unwrap_or_default());
    let annotation = meta.annotations.as_ref().and_then(|all| all.get(FIRES_AT)?.parse().ok());
    let born = meta.creation_timestamp.as_ref().map(|time| time.0);
    let fired: Timestamp = annotation.or(born).unwrap_or_default();
    let uid = meta.uid.as_deref().unwrap_or_default();
    ScheduledRun {
        run: meta.name.clone(),
        job_name: status.job_name.unwrap_or_else(|| names::job(uid, 0)),
        fired_at: Time(whole_seconds(fired)),
        phase: status.phase.unwrap_or(Phase::Pending),
        started_at: status.started_at,
        finished_at: status.finished_at,
        duration_seconds: status.duration_seconds,
        failure: status.failure,
        studio_url: status.studio_url,
    }
}

/// The name of the MLRun for a firing time: one for each minute, whichever process makes it.
#[must_use]
pub fn name(schedule: &str, at: Timestamp) -> String {
    names::object(schedule, &at.strftime("%Y%m%d-%H%M").to_string())
}

/// The MLRun for a firing time.
#[must_use]
pub fn body(schedule: &MLSchedule, at: Timestamp) -> Value {
    let (meta, spec) = (&schedule.metadata, &schedule.spec);
    let name_of_schedule = meta.name.as_deref().unwrap_or_default();
    let time = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut run = json!({
        "apiVersion": MLRun::api_version(&()),
        "kind": MLRun::kind(&()),
        "metadata": {
            "name": name(name_of_schedule, at),
            "namespace": meta.namespace,
            "annotations": {FIRES_AT: time},
            // Nothing waits for it when the schedule is deleted.
            "ownerReferences": [{
                "apiVersion": MLSchedule::api_version(&()), "kind": MLSchedule::kind(&()), "name": name_of_schedule,
                "uid": meta.uid, "controller": true, "blockOwnerDeletion": false,
            }],
        },
        "spec": {"pipelineRef": {"name": spec.pipeline_ref.name}},
    });
    // A label has at most 63 characters.
    if name_of_schedule.len() <= 63 {
        run["metadata"]["labels"] = json!({LABEL: name_of_schedule});
    }
    if let Some(inputs) = &spec.inputs {
        let filled = inputs.iter().map(|(input, value)| (input.clone(), filled(value, &time)));
        run["spec"]["inputs"] = Value::Object(filled.collect());
    }
    if let Some(experiment) = &spec.experiment {
        run["spec"]["experiment"] = json!(experiment);
    }
    if let Some(name) = &spec.display_name {
        run["spec"]["displayName"] = json!(name);
    }
    if !spec.tags.is_empty() {
        run["spec"]["tags"] = json!(spec.tags);
    }
    if spec.deletion_policy == Some(DeletionPolicy::Retain) {
        run["spec"]["deletionPolicy"] = json!(DeletionPolicy::Retain);
    }
    run
}

/// A value with the time of the firing, where it asks for that.
fn filled(value: &Value, time: &str) -> Value {
    if value.as_str() == Some(TRIGGER_TIME) { json!(time) } else { value.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_schedule_and_minute_and_a_long_name_is_cut() {
        let at: Timestamp = "2026-11-30T06:05:30Z".parse().unwrap();
        assert_eq!(name("iris-nightly", at), "iris-nightly-20261130-0605");
        let (long, other) = (format!("{}a", "x".repeat(240)), format!("{}b", "x".repeat(240)));
        let names = [name(&long, at), name(&other, at)];
        assert!(names[0] != names[1] && names.iter().all(|name| name.len() <= 253), "{names:?}");
        assert_eq!(name(&"x".repeat(239), at).len(), 253);
    }
}
