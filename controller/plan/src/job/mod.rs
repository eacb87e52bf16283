//! The pipeline job that a run or a schedule sends: it names the version's pipeline component, which holds the steps.
//!
//! In: a version and values. Out: the body, or what is wrong with the values. Steps are never read back: Azure ML does not
//! show the `jobs` of a pipeline component. Source: Azure REST API, `Jobs_CreateOrUpdate`, `PipelineJob`.

mod asked;
mod inputs;
mod values;

pub use self::asked::{Form, Job};
pub use self::inputs::inputs;
pub(crate) use self::inputs::own;
use crate::invalid::InvalidSpec;
use azureml_crds::ml_pipeline::{Current, Settings};
use serde_json::{Map, Value, json};

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
    let outputs: Map<String, Value> = current
        .outputs
        .iter()
        .map(|(name, output)| {
            let mut value = json!({"jobOutputType": output.r#type.word()});
            if let Some(path) = &output.path {
                value["uri"] = json!(path);
            }
            if let Some(mode) = output.mode {
                value["mode"] = json!(mode.word());
            }
            (name.clone(), value)
        })
        .collect();
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
    let Settings { default_compute, default_datastore, continue_on_step_failure, force_rerun } = settings;
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
