//! Jobs as the resource manager shows them.

use super::run::Run;
use crate::ml::Workspace;
use crate::world::Settings;
use serde_json::{Map, Value, json};

/// The properties that Azure ML adds to a job, beside those it was given.
pub fn properties(run: &Run) -> Map<String, Value> {
    let mut all = run.body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let source = if run.pipeline().is_some() { "azureml.PipelineRun" } else { "azureml.StepRun" };
    all.extend(run.facts.iter().map(|(name, value)| (name.clone(), json!(value))));
    all.insert("azureml.runsource".into(), source.into());
    if run.pipeline().is_some() {
        all.insert("azureml.pipelineComponent".into(), "pipelinerun".into());
        all.insert("runType".into(), if run.schedule.is_some() { "Schedule" } else { "HTTP" }.into());
    }
    if let Some(step) = run.step() {
        all.insert("azureml.moduleName".into(), step.component.as_str().into());
        all.insert("ComputeTargetType".into(), "AmlCompute".into());
    }
    if let (Some(node), Some(parent)) = (&run.node, &run.parent) {
        all.insert("azureml.nodeid".into(), node.as_str().into());
        all.insert("azureml.pipelinerunid".into(), parent.as_str().into());
    }
    all
}

/// A job, or a step of one.
pub fn job(workspace: &Workspace, run: &Run, settings: &Settings) -> Value {
    let id = workspace.id();
    let host = settings.base.trim_start_matches("https://");
    let mut shown = run.body.clone();
    for key in ["tags", "inputs", "outputs"] {
        shown.entry(key).or_insert_with(|| json!({}));
    }
    if run.pipeline().is_some() {
        shown.entry("jobs").or_insert_with(|| json!({}));
    }
    shown.entry("isArchived").or_insert(Value::Bool(false));
    outputs(run, &mut shown);
    shown.extend(Map::from_iter([
        ("status".into(), json!(run.status.word())),
        ("properties".into(), Value::Object(properties(run))),
        ("displayName".into(), json!(run.display_name)),
        ("isArchived".into(), json!(run.hidden)),
        ("services".into(), json!({
            "Tracking": {
                "jobServiceType": "Tracking", "endpoint": format!("azureml://{host}/mlflow/v1.0{id}?"),
            },
            "Studio": {
                "jobServiceType": "Studio", "endpoint": format!("https://ml.azure.sim/runs/{}?wsid={id}", run.id),
            },
        })),
    ]));
    json!({
        "id": format!("{id}/jobs/{}", run.id), "name": run.id,
        "type": "Microsoft.MachineLearningServices/workspaces/jobs", "properties": shown,
        "systemData": run.origin.json(),
    })
}

/// Says where the outputs of a job are, and adds the one that every job has.
fn outputs(run: &Run, shown: &mut Map<String, Value>) {
    let Some(all) = shown.get_mut("outputs").and_then(Value::as_object_mut) else { return };
    for (name, output) in all.iter_mut() {
        if let (Some(bound), None) = (run.output(name), output.get("uri")) {
            output["uri"] = bound.text().into();
        }
    }
    let artifacts = format!("azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.{}", run.id);
    let default = json!({ "jobOutputType": "uri_folder", "mode": "ReadWriteMount", "uri": artifacts });
    all.entry("default").or_insert(default);
}
