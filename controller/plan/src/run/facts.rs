//! What a job's answers say: phases, steps and their times, outputs, and the words of the step that failed first.

use super::seen::{Seen, job_phase, phase};
use super::wanted::Wanted;
use crate::reasons::Reason;
use crate::{failure, time};
use azureml_crds::MLRun;
use azureml_crds::ml_run::{Failure, MLRunStatus, Phase, StepRun};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;
use std::collections::BTreeMap;

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
        let details = seen.details.as_ref().map(|details| &details["outputs"]);
        status.outputs = outputs(&properties["outputs"], details.unwrap_or(&Value::Null));
    }
    if status.phase == Some(Phase::Failed) && (seen.children.is_some() || seen.details.is_some()) {
        status.failure = Some(why_failed(wanted, seen));
    }
}

/// Where outputs are: the job says it of those that have a path, run history of those that became data assets.
fn outputs(of_job: &Value, details: &Value) -> BTreeMap<String, String> {
    let address = |name: &str, output: &Value| {
        output["uri"].as_str().or_else(|| details[name]["assetId"].as_str()).map(str::to_owned)
    };
    let all = of_job.as_object().into_iter().flatten();
    all.filter_map(|(name, output)| Some((name.clone(), address(name, output)?))).collect()
}

pub(super) fn moment(run: &Value, key: &str) -> Option<Timestamp> {
    run[key].as_str().and_then(time::timestamp).map(failure::whole_seconds)
}

fn duration(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<i64> {
    from.zip(to).map(|(from, to)| to.duration_since(from).as_secs())
}

/// The name of a step. A child has the name of its component, which is the pipeline's with the step's after it, and in
/// `displayName` that of the node: the step's own, or the one that the manifest gives it for people. `azureml.nodeid` is
/// hexadecimal and names no step.
fn step_name(wanted: &Wanted, child: &Value) -> String {
    let names = [&child["properties"]["azureml.moduleName"], &child["name"]];
    let base = wanted.component.parent().map(|component| format!("{}_", component.name()));
    let of_component = |name: &Value| {
        let (base, name) = (base.as_deref()?, name.as_str()?);
        let is_of = name.get(..base.len())?.eq_ignore_ascii_case(base) && name.len() > base.len();
        is_of.then(|| name[base.len()..].to_owned())
    };
    let shown = || ["displayName", "name", "runId"].iter().find_map(|key| child[*key].as_str());
    names.into_iter().find_map(of_component).unwrap_or_else(|| shown().unwrap_or_default().to_owned())
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
    let code = error["code"].as_str().unwrap_or(Reason::FAILED.word()).chars().take(250).collect();
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
            let words = "Azure ML gives no reason; the logs of the step are in studio";
            (Reason::FAILED.to_string(), words.to_owned())
        });
    Failure { step: step.map(|step| step_name(wanted, step)), code, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_client::ArmId;
    use serde_json::json;

    #[test]
    fn a_step_is_found_by_its_component_or_by_the_name_of_its_node_and_never_by_its_id() {
        let workspace = ArmId::workspace("s", "g", "w");
        let wanted = Wanted {
            id: workspace.child("jobs", "j"),
            component: workspace.child("components", "team_iris_1a2b").child("versions", "v"),
            refused: None,
        };
        let child = |name: &str, display: &str| {
            json!({"name": name, "displayName": display, "runId": "0b7c",
                "properties": {"azureml.moduleName": name, "azureml.nodeid": "321e0e1f"}})
        };
        for (child, step) in [
            (child("team_iris_1a2b_train", "train"), "train"),
            (child("team_iris_1a2b_train", "Train in R"), "train"),
            (child("TEAM_iris_1a2b_train", "Train in R"), "train"),
            (child("azureml_anonymous", "train_1"), "train_1"),
            (child("another", "another_1"), "another_1"),
            (json!({"displayName": null, "name": "x", "runId": "y"}), "x"),
            (json!({"displayName": null, "name": null, "runId": "y"}), "y"),
            (json!({}), ""),
        ] {
            assert_eq!(step_name(&wanted, &child), step, "{child}");
        }
    }
}
