//! The component that is registered for a step: its version is a hash of what the user wrote.
//!
//! In: a step, what it runs, its environment version. Out: id and body. Says nothing of the node that uses it.

use super::bodies::{self, sweep};
use super::code::Code;
use super::ports::{component_inputs, component_outputs};
use super::registered::body;
use super::step_body;
use crate::invalid::InvalidSpec;
use crate::{hash, names};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::step::Step;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A component that is registered for a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// The step's files, and the code version that holds them.
    pub code: Option<Code>,
    /// The environment version, where it has one.
    pub environment: Option<String>,
    /// The component version.
    pub id: ArmId,
    /// Its body.
    pub body: Value,
}

/// The component of a step.
pub(super) fn prepare(
    pipeline: &MLPipeline,
    step: &Step,
    (runs, environment): (step_body::Own<'_>, Option<&str>),
    (workspace, base): (&ArmId, &str),
    (tags, code): (&BTreeMap<String, String>, Option<Code>),
) -> Result<Own, InvalidSpec> {
    let command = runs.command(&step.name)?;
    let code = code.filter(|_| runs.takes_code());
    let mut inputs = component_inputs(pipeline, step)?;
    inputs.extend(sweep::inputs(step));
    let mut outputs = component_outputs(pipeline, step)?;
    if step.spark.is_some() {
        bodies::spark::direct(&mut inputs);
        bodies::spark::direct(&mut outputs);
    }
    // A command that the operator makes counts as what it is made of.
    let written = (!matches!(runs, step_body::Own::Databricks(..))).then_some(command.as_str());
    let content = content(step, written, (&inputs, &outputs), code.as_ref(), environment);
    let version = hash::name("component", &content);
    let name = names::step_component(base, &step.name);
    let id = workspace.child("components", &name).child("versions", &version);
    let mut spec = match runs {
        step_body::Own::Command(_)
        | step_body::Own::Python(_)
        | step_body::Own::R(_)
        | step_body::Own::Databricks(..) => bodies::command::component(&command, environment),
        step_body::Own::Parallel(parallel) => bodies::parallel::component(parallel, environment),
        step_body::Own::Spark(spark) => bodies::spark::component(spark, environment),
    };
    let common = json!({
        "name": name, "version": version, "display_name": step.display_name.as_ref().unwrap_or(&step.name),
        "is_deterministic": step.deterministic.unwrap_or(true), "inputs": inputs, "outputs": outputs,
    });
    if let (Value::Object(spec), Value::Object(common)) = (&mut spec, common) {
        spec.extend(common);
    }
    if let Some(description) = &step.description {
        spec["description"] = json!(description);
    }
    Ok(Own { code, environment: environment.map(str::to_owned), id, body: body(&spec, tags) })
}

/// What decides the version of a step's component.
#[expect(clippy::too_many_lines, reason = "a line for each field of a step")]
fn content(
    step: &Step,
    command: Option<&str>,
    (inputs, outputs): (&Map<String, Value>, &Map<String, Value>),
    code: Option<&Code>,
    environment: Option<&str>,
) -> Value {
    let Step {
        display_name,
        description,
        python,
        r,
        parallel,
        spark,
        databricks,
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
        // A node says them.
        automl: _,
        raw: _,
        // Inputs and outputs have it.
        after: _,
        // Its values are inputs; the node has the rest.
        sweep: _,
        // The node has them, and with it the component of the whole.
        compute: _,
        input_modes: _,
        environment_variables: _,
        resources: _,
        distribution: _,
        identity: _,
        services: _,
        timeout: _,
    } = step;
    let databricks = databricks.as_ref().map(|run| bodies::databricks::content(step, run));
    let mut content = json!({
        "command": command, "python": python, "r": r, "inputs": inputs, "outputs": outputs,
        "code": code.map(Code::content), "environment": environment,
        "displayName": display_name, "description": description, "deterministic": deterministic,
    });
    put(&mut content, "parallel", parallel.as_ref());
    put(&mut content, "spark", spark.as_ref());
    put(&mut content, "databricks", databricks.as_ref());
    content
}

/// Adds what is there.
fn put(content: &mut Value, key: &str, body: Option<&impl Serialize>) {
    if let Some(body) = body {
        content[key] = json!(body);
    }
}

/// The body of a component version, with the code that it runs put in.
#[must_use]
pub fn with_code(own: &Own, code: Option<&ArmId>) -> Value {
    let mut body = own.body.clone();
    if let Some(code) = code {
        let spec = &mut body["properties"]["componentSpec"];
        let place = if spec["task"].is_object() { &mut spec["task"] } else { spec };
        place["code"] = json!(format!("azureml:{code}"));
    }
    body
}
