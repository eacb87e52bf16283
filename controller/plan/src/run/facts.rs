//! What a job's answers say: phases, steps and their times, outputs, and the words of the step that failed first.

use super::{Seen, Wanted, job_phase, phase};
use crate::{failure, time};
use azureml_crds::MLRun;
use azureml_crds::ml_run::{Failure, MLRunStatus, Phase, StepRun};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

pub(super) fn job_facts(run: &MLRun, status: &mut MLRunStatus, wanted: &Wanted, seen: &Seen) {
    let Some(job) = &seen.job else { return };
    let properties = &job["properties"];

    status.phase = Some(job_phase(run, job));
    status.studio_url =
        properties["services"]["Studio"]["endpoint"].as_str().map(str::to_owned).or(status.studio_url.take());
    if let Some(children) = &seen.children {
        status.steps = steps(wanted, children);
    }
    if let Some(details) = &seen.details {
        status.started_at = moment(details, "startTimeUtc").map(Time);
        status.finished_at = moment(details, "endTimeUtc").map(Time);
        status.duration_seconds = duration(moment(details, "startTimeUtc"), moment(details, "endTimeUtc"));
    }
    if status.phase.is_some_and(Phase::is_finished) {
        let uri = |output: &Value| output["uri"].as_str().map(str::to_owned);
        let all = properties["outputs"].as_object().into_iter().flatten();
        status.outputs = all.filter_map(|(name, output)| Some((name.clone(), uri(output)?))).collect();
    }
    if status.phase == Some(Phase::Failed) && (seen.children.is_some() || seen.details.is_some()) {
        status.failure = Some(why_failed(wanted, seen));
    }
}

pub(super) fn moment(run: &Value, key: &str) -> Option<Timestamp> {
    run[key].as_str().and_then(time::timestamp).map(failure::whole_seconds)
}

fn duration(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<i64> {
    from.zip(to).map(|(from, to)| to.duration_since(from).as_secs())
}

/// The name of a step: what stands after the pipeline's own name in the name of its component.
fn step_name(wanted: &Wanted, child: &Value) -> String {
    let module = child["properties"]["azureml.moduleName"].as_str();
    let step =
        module.and_then(|name| name.strip_prefix(wanted.component.parent()?.name())?.strip_prefix('_'));
    let shown = || child["displayName"].as_str().or(child["name"].as_str()).or(child["runId"].as_str());
    step.or_else(shown).unwrap_or_default().to_owned()
}

fn steps(wanted: &Wanted, children: &[Value]) -> Vec<StepRun> {
    let mut steps: Vec<StepRun> = children
        .iter()
        .map(|child| StepRun {
            name: step_name(wanted, child),
            phase: phase(child["status"].as_str().unwrap_or_default()).unwrap_or(Phase::Pending),
            queued_at: moment(child, "createdUtc").map(Time),
            started_at: moment(child, "startTimeUtc").map(Time),
            finished_at: moment(child, "endTimeUtc").map(Time),
            duration_seconds: duration(moment(child, "startTimeUtc"), moment(child, "endTimeUtc")),
            reused: child["properties"]["azureml.isreused"].as_str().map(|text| text == "true"),
            message: error(child).map(|(_, message)| message),
        })
        .collect();
    steps.sort_by_key(|step| (step.started_at.as_ref().map_or(Timestamp::MAX, |at| at.0), step.name.clone()));
    steps.truncate(100);
    steps
}

/// Code and message of a run's error.
fn error(run: &Value) -> Option<(String, String)> {
    let error = &run["error"]["error"];
    let message = error["message"].as_str()?.chars().take(4096).collect();
    let code = error["code"].as_str().unwrap_or("Failed").chars().take(250).collect();
    Some((code, message))
}

/// The words of the step that failed first, else those of the job.
pub(super) fn why_failed(wanted: &Wanted, seen: &Seen) -> Failure {
    let none = Vec::new();
    let children = seen.children.as_ref().unwrap_or(&none);
    let mut failed: Vec<&Value> = children.iter().filter(|child| child["status"] == "Failed").collect();
    failed.sort_by_key(|child| moment(child, "endTimeUtc"));
    let step = failed.first().copied();
    let (code, message) =
        step.and_then(error).or_else(|| seen.details.as_ref().and_then(error)).unwrap_or_else(|| {
            ("Failed".to_owned(), "Azure ML gives no reason; the logs of the step are in studio".to_owned())
        });
    Failure { step: step.map(|step| step_name(wanted, step)), code, message }
}
