//! Whose job an MLRun has: its own, or that of the object which it was before a backup brought it back.
//!
//! In: a run. Out: the names of its jobs, and the annotation that keeps them. A restored object has another UID and no status, but backups keep
//! annotations. The name in the annotation tells a restored object from a copy under another name or in another namespace, a run of its own.

use super::over::unknown;
use super::seen::Seen;
use super::wanted::{Refs, Wanted};
use crate::action::{Next, Plan, Verdict};
use crate::names;
use crate::owner::{Belongs, Owner};
use crate::reasons::Reason;
use azureml_client::ArmId;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::{JOB, MLRun};
use serde_json::Value;

/// The object's UID.
fn own(run: &MLRun) -> &str {
    run.metadata.uid.as_deref().unwrap_or_default()
}

/// The namespace and the name of a run, as its annotation has them.
fn whole_name(run: &MLRun) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!("{}/{}", part(&run.metadata.namespace), part(&run.metadata.name))
}

/// The UID that the annotation tells, where it was written for an object of this namespace and name.
fn told(run: &MLRun) -> Option<&str> {
    let (whole, job) = run.metadata.annotations.as_ref()?.get(JOB)?.rsplit_once('/')?;
    names::uid_of_job(job).filter(|_| whole == whole_name(run))
}

/// The UID in the names of the run's jobs: what status has begun with stays.
fn uid(run: &MLRun) -> &str {
    let recorded = run.status.as_ref().and_then(|status| names::uid_of_job(status.job_name.as_deref()?));
    recorded.or_else(|| told(run)).unwrap_or_else(|| own(run))
}

/// The annotation that a backup keeps: the object's namespace and name, and that of its first job.
#[must_use]
pub fn mark(run: &MLRun) -> (&'static str, String) {
    (JOB, format!("{}/{}", whole_name(run), names::job(uid(run), 0)))
}

/// Whether the run has the job of an object that was there before it.
#[must_use]
pub fn is_restored(run: &MLRun) -> bool {
    uid(run) != own(run)
}

/// The job's id: the object's first UID decides it, and how many jobs were made for it before.
#[must_use]
pub fn id(run: &MLRun, workspace: &ArmId) -> ArmId {
    let before = run.status.as_ref().map_or(0, |status| status.attempts.len());
    workspace.child("jobs", &names::job(uid(run), before))
}

/// The job that comes after this one, where one does.
#[must_use]
pub fn next(run: &MLRun, workspace: &ArmId) -> ArmId {
    let before = run.status.as_ref().map_or(0, |status| status.attempts.len());
    workspace.child("jobs", &names::job(uid(run), before + 1))
}

/// Whether a job may be this run's: anybody can write an annotation, and a status, but a job carries its owner.
pub(super) fn is_ours(run: &MLRun, owner: &Owner, job: &Value) -> bool {
    !is_restored(run) || owner.of(&job["properties"]["tags"]) == Belongs::Us
}

/// A run that was restored, and whose job is another object's: nothing of that job is shown or changed.
pub(super) fn of_another(refs: &Refs, wanted: &Wanted, job: &Value) -> Plan {
    let owner = match refs.owner.of(&job["properties"]["tags"]) {
        Belongs::Another(owner) => format!("belongs to {owner} of this or another cluster"),
        Belongs::Us | Belongs::Inherited | Belongs::Nobody => "does not say whose it is".to_owned(),
    };
    let message = format!(
        "this MLRun was restored, and its job {} {owner}; remove the annotation {JOB} for a job of its own, or set clusterId to that of \
         the old cluster",
        wanted.id.name()
    );
    let conditions = vec![unknown(Reason::OWNED_BY_ANOTHER, &message)];
    Plan { conditions, ..Plan::say(Verdict::stalled(Reason::OWNED_BY_ANOTHER, message), Next::Again) }
}

/// What is said of a run that was restored, and whose job is not there (any more).
pub(super) fn gone(wanted: &Wanted) -> String {
    format!(
        "this MLRun was restored, and its job {} is not in Azure; make a new MLRun, without the annotation {JOB}",
        wanted.id.name()
    )
}

/// The pipeline's version that the run is of; none for a job from before, which may be of another one than that in force now.
pub(super) fn version<'a>(run: &MLRun, refs: &'a Refs, seen: &Seen) -> Option<&'a Current> {
    let component = |job: &Value| ArmId::parse(job["properties"]["componentId"].as_str()?).ok();
    let is_it = |job: &Value| component(job).is_some_and(|id| id.to_string() == refs.current.component_id);
    (!is_restored(run) || seen.job.as_ref().is_some_and(is_it)).then_some(&refs.current)
}

/// Whether what was seen is a job of another object.
pub(super) fn is_taken(run: &MLRun, owner: &Owner, seen: &Seen) -> bool {
    seen.job.as_ref().is_some_and(|job| !is_ours(run, owner, job))
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_crds::ml_run::MLRunStatus;

    const OLD: &str = "0b7c1e0e-0000-4000-8000-000000000001";
    const NEW: &str = "0b7c1e0e-0000-4000-8000-000000000002";

    fn run(annotation: Option<&str>, job: Option<&str>) -> MLRun {
        let metadata = serde_json::json!({"name": "one", "namespace": "a", "uid": NEW, "annotations": annotation.map(|text| [(JOB, text)].into_iter().collect::<std::collections::BTreeMap<_, _>>())});
        let mut run: MLRun = serde_json::from_value(
            serde_json::json!({"metadata": metadata, "spec": {"pipelineRef": {"name": "p"}}}),
        )
        .unwrap();
        run.status = job.map(|job| MLRunStatus { job_name: Some(job.to_owned()), ..MLRunStatus::default() });
        run
    }

    #[test]
    fn only_an_object_that_came_back_under_its_name_has_the_job_of_before() {
        let of = |uid: &str| format!("a/one/r-{uid}");
        for (annotation, job, expected) in [
            (None, None, NEW),
            (Some(of(NEW)), None, NEW),
            (Some(of(OLD)), None, OLD),
            (Some(format!("a/another/r-{OLD}")), None, NEW),
            (Some(format!("b/one/r-{OLD}")), None, NEW),
            (Some(format!("one/r-{OLD}")), None, NEW),
            (Some(format!("r-{OLD}")), None, NEW),
            (Some("a/one/r-nonsense".to_owned()), None, NEW),
            (Some(String::new()), None, NEW),
            // The annotation was removed while the job went on.
            (None, Some(format!("r-{OLD}-2")), OLD),
            (None, Some("nonsense".to_owned()), NEW),
        ] {
            let run = run(annotation.as_deref(), job.as_deref());
            assert_eq!(uid(&run), expected, "{annotation:?} {job:?}");
            assert_eq!(is_restored(&run), expected == OLD);
            assert_eq!(mark(&run), (JOB, of(expected)));
        }
    }
}
