//! What a job's answers say: phases, steps and their times, outputs, and the words of the step that failed first.

use super::history::{error, moment, step_name, why_failed};
use super::seen::{Seen, job_phase, phase};
use super::spent::{spend, total};
use super::wanted::Wanted;
use azureml_crds::MLRun;
use azureml_crds::ml_run::{Failure, MLRunStatus, Phase, StepRun};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn job_facts(
    run: &MLRun,
    status: &mut MLRunStatus,
    wanted: &Wanted,
    (seen, now): (&Seen, Timestamp),
) {
    let Some(job) = &seen.job else { return };
    let properties = &job["properties"];

    status.phase = Some(job_phase(run, job));
    status.studio_url = studio(job).or(status.studio_url.take());
    if let Some(children) = &seen.children {
        let mut steps = steps(wanted, children);
        for step in &mut steps {
            spend(step, &status.steps, now);
        }
        status.steps = steps;
    }
    if let Some(details) = &seen.details {
        status.started_at = moment(details, "startTimeUtc").map(Time);
        status.finished_at = moment(details, "endTimeUtc").map(Time);
        status.duration_seconds = duration(moment(details, "startTimeUtc"), moment(details, "endTimeUtc"));
    }
    if status.phase.is_some_and(Phase::is_finished) {
        total(status);
        let details = seen.details.as_ref().map(|details| &details["outputs"]);
        status.outputs = outputs(&properties["outputs"], details.unwrap_or(&Value::Null));
    }
    if status.phase == Some(Phase::Failed) && (seen.children.is_some() || seen.details.is_some()) {
        status.failure = Some(failed(wanted, seen));
    }
}

/// The job in studio.
pub(super) fn studio(job: &Value) -> Option<String> {
    job["properties"]["services"]["Studio"]["endpoint"].as_str().map(str::to_owned)
}

/// Where outputs are: the job says it of those that have a path, run history of those that became data assets.
fn outputs(of_job: &Value, details: &Value) -> BTreeMap<String, String> {
    let address = |name: &str, output: &Value| {
        output["uri"].as_str().or_else(|| details[name]["assetId"].as_str()).map(str::to_owned)
    };
    let all = of_job.as_object().into_iter().flatten();
    all.filter_map(|(name, output)| Some((name.clone(), address(name, output)?))).collect()
}

fn duration(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<i64> {
    from.zip(to).map(|(from, to)| to.duration_since(from).as_secs())
}

fn steps(wanted: &Wanted, children: &[Value]) -> Vec<StepRun> {
    let mut steps: Vec<StepRun> = children
        .iter()
        .map(|child| StepRun {
            name: step_name(Some(&wanted.component), child),
            phase: phase(child["status"].as_str().unwrap_or_default()).unwrap_or(Phase::Pending),
            queued_at: moment(child, "createdUtc").map(Time),
            started_at: moment(child, "startTimeUtc").map(Time),
            finished_at: moment(child, "endTimeUtc").map(Time),
            duration_seconds: duration(moment(child, "startTimeUtc"), moment(child, "endTimeUtc")),
            preparing_at: None,
            running_at: None,
            queued_seconds: None,
            preparing_seconds: None,
            running_seconds: None,
            reused: child["properties"]["azureml.isreused"].as_str().map(|text| text == "true"),
            message: error(child).map(|(_, message)| message),
        })
        .collect();
    steps.sort_by_key(|step| (step.started_at.as_ref().map_or(Timestamp::MAX, |at| at.0), step.name.clone()));
    steps.truncate(100);
    steps
}

/// Why the job failed, by what was seen.
pub(super) fn failed(wanted: &Wanted, seen: &Seen) -> Failure {
    why_failed(&wanted.component, seen.children.as_deref().unwrap_or_default(), seen.details.as_ref())
}
