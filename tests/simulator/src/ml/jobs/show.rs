//! Jobs as the resource manager shows them: every key is there, null where nothing was said; settings and steps are as they
//! were sent. Source: recorded answers (`facts/`).

use super::bind::Bound;
use super::run::{Run, Status};
use crate::clock::stamp;
use crate::ml::Workspace;
use crate::world::Settings;
use serde_json::{Map, Value, json};

/// The properties that Azure ML adds to a job, beside those it was given.
pub fn properties(run: &Run) -> Map<String, Value> {
    let mut all = run.body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    all.extend(run.facts.iter().map(|(name, value)| (name.clone(), json!(value))));
    all.insert("azureml.DevPlatv2".into(), "true".into());
    if run.pipeline().is_some() {
        pipeline(run, &mut all);
    } else if run.parent.is_some() {
        step(run, &mut all);
    } else {
        all.insert("_azureml.ComputeTargetType".into(), "amlctrain".into());
    }
    all
}

fn flag(value: bool) -> Value {
    if value { "True" } else { "False" }.into()
}

fn pipeline(run: &Run, all: &mut Map<String, Value>) {
    let Some(pipeline) = run.pipeline() else { return };
    let literals = pipeline.inputs.iter().filter_map(|(name, bound)| match bound {
        Bound::Literal(text) => Some((name.clone(), json!(text))),
        Bound::Data(_, _) => None,
    });
    let parameters = Value::Object(literals.collect::<Map<_, _>>()).to_string();
    let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    for (name, value) in [
        ("azureml.DatasetAccessMode", json!("Asset")),
        ("azureml.runsource", json!("azureml.PipelineRun")),
        ("runSource", json!("MFE")),
        ("runType", json!(if run.schedule.is_some() { "Schedule" } else { "HTTP" })),
        ("azureml.parameters", json!(parameters)),
        ("azureml.continue_on_step_failure", flag(pipeline.goes_on)),
        ("azureml.continue_on_failed_optional_input", flag(true)),
        ("azureml.enforceRerun", flag(pipeline.force)),
        ("azureml.defaultDataStoreName", json!(last(&pipeline.datastore))),
        ("azureml.pipelineComponent", json!("pipelinerun")),
    ] {
        all.insert(name.into(), value);
    }
    if let Some(component) = run.body.get("componentId").filter(|id| !id.is_null()) {
        all.insert("azureml.SourceComponentId".into(), component.clone());
    }
    if let Some(stages) = stages(run) {
        all.insert("azureml.pipelines.stages".into(), stages.into());
    }
    if let Some(compute) = &pipeline.compute {
        all.insert("azureml.defaultComputeName".into(), json!(last(compute)));
    }
    place(run, all);
}

/// The times of a pipeline that has ended, as text; one that was cancelled tells none (recorded jobs and run details).
fn stages(run: &Run) -> Option<String> {
    let word = match run.status {
        Status::Completed => "Finished",
        Status::Failed => "Failed",
        Status::Queued
        | Status::Preparing
        | Status::Running
        | Status::Finalizing
        | Status::CancelRequested
        | Status::Canceled => return None,
    };
    let (from, to) = run.started.zip(run.ended)?;
    let execution = json!({ "StartTime": stamp(from), "EndTime": stamp(to), "Status": word });
    Some(json!({ "Initialization": null, "Execution": execution }).to_string())
}

fn step(run: &Run, all: &mut Map<String, Value>) {
    let Some(step) = run.step() else { return };
    for (name, value) in [
        ("StepType", "PythonScriptStep"),
        ("ComputeTargetType", "AmlCompute"),
        ("azureml.moduleName", step.component.as_str()),
        ("azureml.runsource", "azureml.StepRun"),
        ("azureml.pipelineComponent", "masterescloud"),
    ] {
        all.insert(name.into(), value.into());
    }
    let version = step.component_id.as_deref().and_then(|id| id.rsplit('/').next());
    all.insert("azureml.moduleVersion".into(), version.into());
    let id = crate::ids::uuid_of(step.component_id.as_deref().unwrap_or(&step.component));
    all.insert("azureml.moduleid".into(), id.into());
    place(run, all);
}

/// Where in a pipeline a run is. Nodes have ids of their own, which say nothing about their names.
fn place(run: &Run, all: &mut Map<String, Value>) {
    if let (Some(node), Some(parent)) = (&run.node, &run.parent) {
        all.insert("azureml.nodeid".into(), node_id(parent, node).into());
        all.insert("azureml.pipelinerunid".into(), parent.as_str().into());
        all.insert("azureml.pipeline".into(), parent.as_str().into());
    }
}

/// The id of a node: eight hexadecimal digits.
pub fn node_id(parent: &str, node: &str) -> String {
    let mut id = crate::ids::sha256(format!("{parent}/{node}").as_bytes());
    id.truncate(8);
    id
}

/// What every job shows, and what each type has beside it.
fn nulls(run: &Run) -> Value {
    let mut all = json!({
        "description": null, "tags": {}, "services": null, "computeId": null, "identity": null, "componentId": null,
        "notificationSetting": null, "inputs": {}, "outputs": {},
    });
    let own = if run.pipeline().is_some() {
        json!({ "settings": {}, "jobs": {}, "sourceJobId": null })
    } else {
        json!({
            "codeId": null, "command": null, "environmentId": null, "distribution": null, "limits": null,
            "environmentVariables": {}, "parameters": {}, "queueSettings": null, "resources": {},
        })
    };
    if let (Some(all), Value::Object(own)) = (all.as_object_mut(), own) {
        all.extend(own);
    }
    all
}

/// A job, or a step of one.
pub fn job(workspace: &Workspace, run: &Run, settings: &Settings) -> Value {
    let id = workspace.id();
    let mut shown = nulls(run).as_object().cloned().unwrap_or_default();
    shown.extend(
        run.body
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    shown.extend(Map::from_iter([
        ("status".into(), json!(word(run))),
        ("properties".into(), Value::Object(properties(run))),
        ("displayName".into(), json!(run.display_name)),
        ("isArchived".into(), json!(run.hidden)),
        ("services".into(), services(&id, run, settings)),
    ]));
    inputs(shown.get_mut("inputs"));
    outputs(run, &mut shown);
    if let Some(resources) = shown.get_mut("resources").and_then(Value::as_object_mut) {
        for (key, value) in [
            ("instanceCount", json!(1)),
            ("instanceType", Value::Null),
            ("properties", json!({})),
            ("shmSize", json!("2g")),
            ("dockerArgs", Value::Null),
        ] {
            resources.entry(key).or_insert(value);
        }
    }
    // A job does not tell who changed it last.
    let mut system = run.origin.json();
    if let Some(system) = system.as_object_mut() {
        system.retain(|key, _| key.starts_with("created"));
    }
    json!({
        "id": format!("{id}/jobs/{}", run.id), "name": run.id,
        "type": "Microsoft.MachineLearningServices/workspaces/jobs", "properties": shown, "systemData": system,
    })
}

/// The status; a command job that was just sent is starting.
fn word(run: &Run) -> &'static str {
    let new = run.status == Status::Preparing && run.queued.is_none() && run.parent.is_none();
    if new && run.pipeline().is_none() { "Starting" } else { run.status.word() }
}

/// Where people and MLflow see a job.
fn services(id: &str, run: &Run, settings: &Settings) -> Value {
    let host = settings.base.trim_start_matches("https://");
    let service = |name: &str, endpoint: String| {
        json!({
            "jobServiceType": name, "port": null, "endpoint": endpoint, "status": null, "errorMessage": null,
            "properties": null, "nodes": null,
        })
    };
    json!({
        "Tracking": service("Tracking", format!("azureml://{host}/mlflow/v1.0{id}?")),
        "Studio": service("Studio", format!("https://ml.azure.sim/runs/{}?wsid={id}", run.id)),
    })
}

/// Inputs as they come back: with a description, and data with a mode.
fn inputs(all: Option<&mut Value>) {
    for input in all.and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut()) {
        let Some(input) = input.as_object_mut() else { continue };
        input.entry("description").or_insert(Value::Null);
        if input.contains_key("uri") {
            input.entry("mode").or_insert_with(|| "ReadOnlyMount".into());
        }
    }
}

/// Outputs as they come back: where nothing was said, they do not tell where they are. A command job has one more.
fn outputs(run: &Run, shown: &mut Map<String, Value>) {
    let Some(all) = shown.get_mut("outputs").and_then(Value::as_object_mut) else { return };
    for output in all.values_mut().filter_map(Value::as_object_mut) {
        for key in ["description", "uri"] {
            output.entry(key).or_insert(Value::Null);
        }
        output.entry("mode").or_insert_with(|| "ReadWriteMount".into());
    }
    if run.pipeline().is_none() {
        let uri = format!("azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.{}", run.id);
        let default = json!({
            "description": null, "uri": uri, "mode": "ReadWriteMount", "jobOutputType": "uri_folder",
        });
        all.entry("default").or_insert(default);
    }
}
