//! An MLRun for a pipeline: its values from a command line, of the types that the pipeline asks for.
//!
//! In: a pipeline as it is in the cluster, texts. Out: the object to create, or what is wrong with a value. Pure; the rules are the plan's.

use crate::inputs;
use azureml_crds::ml_pipeline::{Current, MLPipelineSpec};
use azureml_crds::values::InputType;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a run is asked for with.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The namespace.
    pub namespace: String,
    /// The name of the object. Absent: the API server makes one that begins with the pipeline's.
    pub name: Option<String>,
    /// Values, name and text.
    pub inputs: BTreeMap<String, String>,
    /// The experiment.
    pub experiment: Option<String>,
    /// The name in studio.
    pub display_name: Option<String>,
    /// Tags of the job.
    pub tags: BTreeMap<String, String>,
    /// Whether every step runs, also one whose result is there.
    pub force_rerun: bool,
    /// How long the object is kept after its end.
    pub ttl: Option<String>,
}

/// The MLRun to create for a pipeline.
///
/// # Errors
/// With the field and the remedy: a value that the pipeline does not take, or one that is missing.
pub fn manifest(pipeline: &Value, asked: &Asked) -> Result<Value, String> {
    let name = pipeline["metadata"]["name"].as_str().unwrap_or_default();
    let current = version(pipeline)?;
    let typed = |(name, text): (&String, &String)| {
        let of = current.inputs.get(name).map(|input| input.r#type);
        (name.clone(), value(of, text))
    };
    let values: BTreeMap<String, Value> = asked.inputs.iter().map(typed).collect();
    if let Some(wrong) = inputs::fault(&current, Some(&values), false) {
        return Err(wrong.to_string());
    }
    let mut spec = json!({"pipelineRef": {"name": name}});
    let parts = [
        ("inputs", (!values.is_empty()).then(|| json!(values))),
        ("experiment", asked.experiment.as_ref().map(|text| json!(text))),
        ("displayName", asked.display_name.as_ref().map(|text| json!(text))),
        ("tags", (!asked.tags.is_empty()).then(|| json!(asked.tags))),
        ("forceRerun", asked.force_rerun.then_some(Value::Bool(true))),
        ("ttlAfterFinished", asked.ttl.as_ref().map(|text| json!(text))),
    ];
    for (field, value) in parts {
        if let Some(value) = value {
            spec[field] = value;
        }
    }
    let mut meta = json!({"namespace": asked.namespace});
    match &asked.name {
        Some(name) => meta["name"] = json!(name),
        None => meta["generateName"] = json!(format!("{name}-")),
    }
    let version = format!("{}/v1alpha1", azureml_crds::GROUP);
    Ok(json!({"apiVersion": version, "kind": "MLRun", "metadata": meta, "spec": spec}))
}

/// The version that would run: the one in force, else what the spec says.
fn version(pipeline: &Value) -> Result<Current, String> {
    if let Ok(current) = serde_json::from_value::<Current>(pipeline["status"]["current"].clone()) {
        return Ok(current);
    }
    let spec = serde_json::from_value::<MLPipelineSpec>(pipeline["spec"].clone());
    spec.map(inputs::current).map_err(|error| format!("the pipeline cannot be read by this version: {error}"))
}

/// A value as a manifest has it: a text in quotes; a whole number, `true` and `false` without them. Other numbers stay texts, so that no
/// digit is lost; the operator reads them by the input's type.
fn value(of: Option<InputType>, text: &str) -> Value {
    match of {
        Some(InputType::Integer) => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        Some(InputType::Boolean) => text.parse::<bool>().map_or_else(|_| json!(text), |is_so| json!(is_so)),
        _ => json!(text),
    }
}

/// `NAME=VALUE`.
///
/// # Errors
/// When there is no name or no `=`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, such as trees=50".to_owned()),
    }
}
