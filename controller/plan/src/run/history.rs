//! What run history says of a job that failed: the step that failed first, and its words.
//!
//! In: the component that the job runs, the job's children and the run itself. Out: names and causes. Serves runs and schedules.

use crate::reasons::Reason;
use crate::{failure, time};
use azureml_client::ArmId;
use azureml_crds::ml_run::Failure;
use jiff::Timestamp;
use serde_json::Value;

/// A moment that a run tells, in whole seconds.
pub(super) fn moment(run: &Value, key: &str) -> Option<Timestamp> {
    run[key].as_str().and_then(time::timestamp).map(failure::whole_seconds)
}

/// The name of a step. A child has the name of its component, which is the pipeline's with the step's after it, and in
/// `displayName` that of the node: the step's own, or the one that the manifest gives it for people. `azureml.nodeid` is
/// hexadecimal and names no step.
/// Without a component it is that of the node.
#[must_use]
pub fn step_name(component: Option<&ArmId>, child: &Value) -> String {
    let names = [&child["properties"]["azureml.moduleName"], &child["name"]];
    let base = component.and_then(ArmId::parent).map(|component| format!("{}_", component.name()));
    let of_component = |name: &Value| {
        let (base, name) = (base.as_deref()?, name.as_str()?);
        let is_of = name.get(..base.len())?.eq_ignore_ascii_case(base) && name.len() > base.len();
        is_of.then(|| name[base.len()..].to_owned())
    };
    let shown = || ["displayName", "name", "runId"].iter().find_map(|key| child[*key].as_str());
    names.into_iter().find_map(of_component).unwrap_or_else(|| shown().unwrap_or_default().to_owned())
}

/// Code and message of a run's error.
pub(super) fn error(run: &Value) -> Option<(String, String)> {
    let error = &run["error"]["error"];
    let message = error["message"].as_str()?.chars().take(4096).collect();
    let code = error["code"].as_str().unwrap_or(Reason::FAILED.word()).chars().take(250).collect();
    Some((code, message))
}

/// Whether a step tells why the job failed, so that the run itself need not be asked.
#[must_use]
pub fn tells_why(children: &[Value]) -> bool {
    children.iter().any(|child| child["status"] == "Failed" && error(child).is_some())
}

/// The step that failed first.
pub(super) fn first_failed(children: &[Value]) -> Option<&Value> {
    let failed = children.iter().filter(|child| child["status"] == "Failed");
    failed.min_by_key(|child| moment(child, "endTimeUtc"))
}

/// The words of the step that failed first, else those of the job.
#[must_use]
pub fn why_failed(component: &ArmId, children: &[Value], details: Option<&Value>) -> Failure {
    let step = first_failed(children);
    let (code, message) = step.and_then(error).or_else(|| details.and_then(error)).unwrap_or_else(|| {
        let words = "Azure ML gives no reason; the logs of the step are in studio";
        (Reason::FAILED.to_string(), words.to_owned())
    });
    Failure { step: step.map(|step| step_name(Some(component), step)), code, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_step_is_found_by_its_component_or_by_the_name_of_its_node_and_never_by_its_id() {
        let workspace = ArmId::workspace("s", "g", "w");
        let component = workspace.child("components", "team_iris_1a2b").child("versions", "v");
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
            assert_eq!(step_name(Some(&component), &child), step, "{child}");
        }
    }
}
