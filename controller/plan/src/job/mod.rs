//! The pipeline job that a run or a schedule sends: it names the version's pipeline component, which holds the steps.
//!
//! In: a version and values. Out: the body, or what is wrong with the values. Steps are never read back: Azure ML does not
//! show the `jobs` of a pipeline component. Source: Azure REST API, `Jobs_CreateOrUpdate`, `PipelineJob`.

mod asked;
mod inputs;
mod values;

pub use self::asked::{Form, Job};
pub(crate) use self::inputs::own;
pub use self::inputs::{inputs, labels};
pub(crate) use self::values::TRIGGER_TIME;
use crate::invalid::InvalidSpec;
use azureml_crds::ml_pipeline::{Current, Settings};
use azureml_crds::values::Output;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The properties of the job.
///
/// # Errors
/// When a value is unknown, missing, of the wrong type, or could leave its quotes in a command.
pub fn properties(job: &Job<'_>, current: &Current) -> Result<Value, InvalidSpec> {
    let inputs = inputs(job, current)?;
    for (name, output) in &current.outputs {
        output
            .path
            .as_ref()
            .map_or(Ok(()), |path| job.rights.address(&format!("outputs.{name}.path"), path))?;
    }
    let outputs: Map<String, Value> =
        current.outputs.iter().map(|(name, output)| (name.clone(), written(output))).collect();
    let mut properties = json!({
        "jobType": "Pipeline",
        "displayName": job.display_name,
        "experimentName": job.experiment,
        "isArchived": false,
        "tags": job.tags,
        "properties": job.tags,
        "inputs": inputs,
        "outputs": outputs,
        "settings": settings(&current.settings),
        "jobs": {},
    });
    match job.form {
        Form::Component => properties["componentId"] = json!(current.component_id),
        Form::Node => properties["jobs"][NODE] = node(&properties, current),
    }
    Ok(properties)
}

/// The experiment of a job: its own, that of its pipeline, or one with the name of the MLPipeline.
pub(crate) fn experiment<'a>(own: Option<&'a String>, current: &'a Current, pipeline: &'a str) -> &'a str {
    own.or(current.settings.experiment.as_ref()).map_or(pipeline, String::as_str)
}

/// The name that studio shows for a job: its own, that of its pipeline, or the name of the object that makes it.
pub(crate) fn display_name<'a>(own: Option<&'a String>, current: &'a Current, object: &'a str) -> &'a str {
    own.or(current.settings.display_name.as_ref()).map_or(object, String::as_str)
}

/// The tags of a job: those of what makes it, and those of its pipeline under other names. Azure tells no names apart by case.
pub(crate) fn tags(current: &Current, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_own = |name: &str| own.keys().any(|one| one.eq_ignore_ascii_case(name));
    let of_pipeline = current.settings.tags.iter().filter(|(name, _)| !is_own(name));
    of_pipeline.chain(own).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Where an output goes.
fn written(output: &Output) -> Value {
    let Output { r#type: _, path, mode, name, version, description: _ } = output;
    let mut value = json!({"jobOutputType": output.kind().word()});
    let mode = mode.map(|mode| mode.word().to_owned());
    for (key, said) in [("uri", path), ("mode", &mode), ("assetName", name), ("assetVersion", version)] {
        if let Some(said) = said {
            value[key] = json!(said);
        }
    }
    value
}

/// The name of the only node, where a job has one.
const NODE: &str = "pipeline";

/// The whole pipeline as one node, bound to every input that the job has and to every output.
fn node(properties: &Value, current: &Current) -> Value {
    let keys = |of: &str| properties[of].as_object().into_iter().flatten().map(|(key, _)| key.clone());
    let inputs: Map<String, Value> = keys("inputs")
        .map(|name| {
            let value = format!("${{{{parent.inputs.{name}}}}}");
            (name, json!({"job_input_type": "literal", "value": value}))
        })
        .collect();
    let outputs: Map<String, Value> = keys("outputs")
        .map(|name| {
            let value = format!("${{{{parent.outputs.{name}}}}}");
            (name, json!({"type": "literal", "value": value}))
        })
        .collect();
    let mut node = json!({"name": NODE, "type": "pipeline", "componentId": current.component_id});
    for (key, ports) in [("inputs", inputs), ("outputs", outputs)] {
        if !ports.is_empty() {
            node[key] = Value::Object(ports);
        }
    }
    node
}

fn settings(settings: &Settings) -> Value {
    // The job has its experiment, its name and its tags.
    let Settings {
        default_compute,
        default_datastore,
        continue_on_step_failure,
        force_rerun,
        experiment: _,
        display_name: _,
        tags: _,
    } = settings;
    let mut value = json!({
        "continue_on_step_failure": continue_on_step_failure,
        "force_rerun": force_rerun,
    });
    for (key, id) in [("default_compute", default_compute), ("default_datastore", default_datastore)] {
        if let Some(id) = id {
            value[key] = json!(id);
        }
    }
    value
}
