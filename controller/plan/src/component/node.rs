//! What the nodes of all steps have in the pipeline's graph, with the keys that Microsoft's client writes.
//!
//! In: a step, what it resolves to. Out: a part of its node. What belongs to one body is in `bodies/`.

use super::literal;
use super::ports::{PARENT_OUTPUT, output_type};
use super::resolved::Resolved;
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::step::{Identity, IdentityType, Resources, Step, StepOutput};
use azureml_crds::values::{Literal, LiteralType, OutputType};
use serde_json::{Map, Value, json};

/// A step as a node of the pipeline, without what its body says: snake case but for the two ids, as Azure ML wants it.
pub(super) fn begin(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    r#type: &str,
) -> Result<Value, InvalidSpec> {
    let inputs = inputs(step, resolved);
    let mut outputs = self::outputs(pipeline, step)?;
    // A component declares the others, and Azure ML's defaults serve.
    outputs
        .retain(|name, _| step.outputs.get(name).is_some_and(|one| one.path.is_some() || one.mode.is_some()));
    let mut node = json!({"type": r#type, "name": step.name});
    for (key, ports) in [("inputs", inputs), ("outputs", outputs)] {
        if !ports.is_empty() {
            node[key] = Value::Object(ports);
        }
    }
    if let Some(display) = &step.display_name {
        node["display_name"] = json!(display);
    }
    if let Some(compute) = &resolved.compute {
        node["computeId"] = json!(compute);
    }
    let resources = resources(step, resolved);
    if !resources.is_empty() {
        node["resources"] = Value::Object(resources);
    }
    Ok(node)
}

fn resources(step: &Step, resolved: &Resolved) -> Map<String, Value> {
    let mut resources = Map::new();
    if let Some(Resources { instance_count, shm_size }) = &step.resources {
        resources.insert("instance_count".into(), json!(instance_count.unwrap_or(1)));
        if let Some(size) = shm_size {
            resources.insert("shm_size".into(), json!(size));
        }
    }
    if let Some(size) = &resolved.instance_type {
        resources.insert("instance_type".into(), json!(size));
    }
    resources
}

/// What a node is given: literals and bindings, and data in place.
fn inputs(step: &Step, resolved: &Resolved) -> Map<String, Value> {
    let literals = step.inputs.iter().map(|(name, value)| (name.clone(), node_input(step, name, value)));
    let data = step.data.iter().filter_map(|(name, data)| {
        let mut input = json!({"job_input_type": data.r#type.word(), "uri": resolved.data.get(name)?});
        if let Some(mode) = data.mode {
            input["mode"] = json!(mode.word());
        }
        Some((name.clone(), input))
    });
    literals.chain(data).collect()
}

/// All outputs of a node.
pub(super) fn outputs(pipeline: &MLPipeline, step: &Step) -> Result<Map<String, Value>, InvalidSpec> {
    let each = step.outputs.iter();
    let each = each.map(|(name, output)| {
        Ok((name.clone(), node_output(output, output_type(pipeline, step, name, output)?)))
    });
    each.collect()
}

/// As whom a step reaches data.
pub(super) fn identity(Identity { r#type, client_id }: &Identity) -> Value {
    let word = match r#type {
        IdentityType::Managed => "Managed",
        IdentityType::AmlToken => "AMLToken",
    };
    said(json!({"identity_type": word, "client_id": client_id}))
}

/// An object without what is not said.
pub(super) fn said(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

fn node_input(step: &Step, name: &str, value: &Literal) -> Value {
    let text = match value {
        Literal::Number(number) => number.to_string(),
        // As Azure ML stores it.
        Literal::Text(text) if step.input_types.get(name) == Some(&LiteralType::Boolean) => {
            literal(&Value::Bool(text == "true"))
        }
        Literal::Text(text) => text.clone(),
    };
    let mut input = json!({"job_input_type": "literal", "value": text});
    if let Some(mode) = step.input_modes.get(name) {
        input["mode"] = json!(mode.word());
    }
    input
}

/// A node's output.
fn node_output(output: &StepOutput, r#type: OutputType) -> Value {
    let StepOutput { r#type: _, path, mode } = output;
    match path {
        Some(path) if path.starts_with(PARENT_OUTPUT) => json!({"type": "literal", "value": path}),
        path => {
            let mut value = json!({"job_output_type": r#type.word()});
            if let Some(path) = path {
                value["uri"] = json!(path);
            }
            if let Some(mode) = mode {
                value["mode"] = json!(mode.word());
            }
            value
        }
    }
}
