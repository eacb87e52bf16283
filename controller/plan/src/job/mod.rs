//! The pipeline job that a run or a schedule sends: the current version's steps, in place, with its inputs.
//!
//! In: a version, values, the component's steps as Azure ML has them. Out: the body, or what is wrong with the values.
//! Source: Azure REST API, `Jobs_CreateOrUpdate`, `PipelineJob`.

mod inputs;

pub use self::inputs::inputs;
use crate::context::InvalidSpec;
use azureml_crds::ml_pipeline::{Current, Settings};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a job is made of, beside the version.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The name that studio shows.
    pub display_name: &'a str,
    /// The experiment.
    pub experiment: &'a str,
    /// Tags and, since only these can be searched by value, properties.
    pub tags: &'a BTreeMap<String, String>,
    /// Values given by whoever runs it.
    pub inputs: Option<&'a BTreeMap<String, Value>>,
    /// Whether a value may be the time of the firing.
    pub is_scheduled: bool,
}

/// The properties of the job, with the steps as they stand in the component.
///
/// # Errors
/// When a value is unknown, missing, of the wrong type, or could leave its quotes in a command.
pub fn properties(job: &Job<'_>, current: &Current, steps: &Value) -> Result<Value, InvalidSpec> {
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
    Ok(json!({
        "jobType": "Pipeline",
        "displayName": job.display_name,
        "experimentName": job.experiment,
        "isArchived": false,
        "tags": job.tags,
        "properties": job.tags,
        "inputs": inputs(job, current)?,
        "outputs": outputs,
        "settings": settings(&current.settings),
        "jobs": steps,
    }))
}

fn settings(settings: &Settings) -> Value {
    let mut value = json!({
        "continue_on_step_failure": settings.continue_on_step_failure,
        "force_rerun": settings.force_rerun,
    });
    for (key, id) in
        [("default_compute", &settings.default_compute), ("default_datastore", &settings.default_datastore)]
    {
        if let Some(id) = id {
            value[key] = json!(id);
        }
    }
    value
}
