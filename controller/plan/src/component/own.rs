//! The component that is registered for a step: its version is a hash of what the user wrote.
//!
//! In: a step, what it runs, its environment version. Out: id and body. Says nothing of the node that uses it.

use super::code::{Code, code};
use super::ports::{component_inputs, component_outputs};
use super::step_body;
use super::version::body;
use crate::invalid::InvalidSpec;
use crate::{hash, names};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::step::Step;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const COMMAND_SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json";

/// A component that is registered for a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// The step's files, and the code version that holds them.
    pub code: Option<Code>,
    /// The environment version.
    pub environment: String,
    /// The component version.
    pub id: ArmId,
    /// Its body.
    pub body: Value,
}

/// The component of a step.
pub(super) fn prepare(
    pipeline: &MLPipeline,
    step: &Step,
    (runs, environment): (step_body::Own<'_>, &str),
    (workspace, base): (&ArmId, &str),
    tags: &BTreeMap<String, String>,
) -> Result<Own, InvalidSpec> {
    let command = runs.command(&step.name)?;
    let code = code(pipeline, step, workspace);
    let inputs = component_inputs(pipeline, step)?;
    let outputs = component_outputs(pipeline, step)?;
    let content = content(step, &command, (&inputs, &outputs), code.as_ref(), environment);
    let version = hash::name("component", &content);
    let name = names::step_component(base, &step.name);
    let id = workspace.child("components", &name).child("versions", &version);
    let mut spec = json!({
        "$schema": COMMAND_SCHEMA, "type": "command", "name": name, "version": version,
        "display_name": step.display_name.as_ref().unwrap_or(&step.name),
        "is_deterministic": step.deterministic.unwrap_or(true),
        "command": command,
        "environment": prefixed(environment),
        "inputs": inputs, "outputs": outputs,
    });
    if let Some(description) = &step.description {
        spec["description"] = json!(description);
    }
    Ok(Own { code, environment: environment.to_owned(), id, body: body(&spec, tags) })
}

/// What decides the version of a step's component.
fn content(
    step: &Step,
    command: &str,
    (inputs, outputs): (&Map<String, Value>, &Map<String, Value>),
    code: Option<&Code>,
    environment: &str,
) -> Value {
    let Step {
        display_name,
        description,
        python,
        r,
        deterministic,
        // The id has it.
        name: _,
        // They count as they were resolved.
        command: _,
        code: _,
        environment: _,
        inputs: _,
        input_types: _,
        data: _,
        outputs: _,
        // A component that exists is no step's own.
        component: _,
        pipeline: _,
        // The node has them, and with it the component of the whole.
        compute: _,
        input_modes: _,
        environment_variables: _,
        resources: _,
        distribution: _,
        identity: _,
        timeout: _,
    } = step;
    json!({
        "command": command, "python": python, "r": r, "inputs": inputs, "outputs": outputs,
        "code": code.map(|code| &code.hash), "environment": environment,
        "displayName": display_name, "description": description, "deterministic": deterministic,
    })
}

/// The body of a component version, with the code that it runs put in.
#[must_use]
pub fn with_code(own: &Own, code: Option<&ArmId>) -> Value {
    let mut body = own.body.clone();
    if let Some(code) = code {
        body["properties"]["componentSpec"]["code"] = json!(format!("azureml:{code}"));
    }
    body
}

/// An environment as a component names it: ARM ids get a prefix.
fn prefixed(environment: &str) -> String {
    if environment.starts_with("azureml:") {
        environment.to_owned()
    } else {
        format!("azureml:{environment}")
    }
}
