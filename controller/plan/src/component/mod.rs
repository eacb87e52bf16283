//! The components of a pipeline: one for every step, one for the whole; each version a hash of what the user wrote.
//!
//! In: a spec and the ids it resolves to. Out: bodies as Microsoft's client sends them. Source: Azure REST API,
//! `ComponentVersions_CreateOrUpdate`, and the command and pipeline component schemas of the Azure ML CLI v2.

pub mod bare;
mod check;
mod literal;
mod node;
mod ports;
mod resolved;
mod step_body;

pub use self::literal::literal;
use self::node::node;
use self::ports::{component_inputs, component_outputs};
pub use self::resolved::Resolved;
pub use self::step_body::Body;
use crate::invalid::InvalidSpec;
use crate::{hash, names};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::MLPipelineSpec;
use azureml_crds::step::Step;
use azureml_crds::values::{Input, Output};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const COMMAND_SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json";
const PIPELINE_SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json";

/// A step with everything that is registered for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The step's name.
    pub name: String,
    /// Its files, and the code version that holds them.
    pub code: Option<Code>,
    /// The environment version.
    pub environment: String,
    /// The component version.
    pub id: ArmId,
    /// Its body.
    pub body: Value,
    /// The step as a node of the pipeline.
    pub node: Value,
}

/// Files of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// The hash by which Azure ML finds equal files.
    pub hash: String,
    /// The code version that we would make.
    pub id: ArmId,
}

/// The files of a step, where it has some.
#[must_use]
pub fn code(pipeline: &MLPipeline, step: &Step, workspace: &ArmId) -> Option<Code> {
    let defaults = pipeline.spec.defaults.as_ref();
    let code = step.code.as_ref().or_else(|| defaults.and_then(|defaults| defaults.code.as_ref()))?;
    let hash = code.files.hash().to_owned();
    let id = workspace.child("codes", &names::code(&hash)).child("versions", "1");
    Some(Code { hash, id })
}

/// What is wrong with a pipeline, beside its steps: defaults that no run would take, names that another may have.
///
/// # Errors
/// With the field.
pub fn check(pipeline: &MLPipeline) -> Result<(), InvalidSpec> {
    check::size(pipeline)?;
    check::names(pipeline)?;
    check::defaults(pipeline)
}

/// A step, ready to be registered.
///
/// # Errors
/// When something in it means nothing.
pub fn prepare(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    (workspace, base): (&ArmId, &str),
    tags: &BTreeMap<String, String>,
) -> Result<Prepared, InvalidSpec> {
    check::literals(step)?;
    let command = Body::of(step)?.command(&step.name)?;
    check::optional(pipeline, step, &command)?;
    let code = code(pipeline, step, workspace);
    let inputs = component_inputs(pipeline, step);
    let outputs = component_outputs(pipeline, step);
    let content = content(step, &command, (&inputs, &outputs), code.as_ref(), &resolved.environment);
    let version = hash::name("component", &content);
    let name = names::step_component(base, &step.name);
    let id = workspace.child("components", &name).child("versions", &version);
    let mut spec = json!({
        "$schema": COMMAND_SCHEMA, "type": "command", "name": name, "version": version,
        "display_name": step.display_name.as_ref().unwrap_or(&step.name),
        "is_deterministic": step.deterministic.unwrap_or(true),
        "command": command,
        "environment": prefixed(&resolved.environment),
        "inputs": inputs, "outputs": outputs,
    });
    if let Some(description) = &step.description {
        spec["description"] = json!(description);
    }
    let node = node(pipeline, step, resolved, &id)?;
    Ok(Prepared {
        name: step.name.clone(),
        code,
        environment: resolved.environment.clone(),
        id,
        body: body(&spec, tags),
        node,
    })
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
        outputs: _,
        // The node has them, and with it the component of the whole.
        compute: _,
        input_modes: _,
        environment_variables: _,
        resources: _,
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
pub fn with_code(prepared: &Prepared, code: Option<&ArmId>) -> Value {
    let mut body = prepared.body.clone();
    if let Some(code) = code {
        body["properties"]["componentSpec"]["code"] = json!(format!("azureml:{code}"));
    }
    body
}

/// The component of the whole: name, version and body.
#[must_use]
pub fn whole(
    pipeline: &MLPipeline,
    steps: &[Prepared],
    (workspace, base): (&ArmId, &str),
    tags: &BTreeMap<String, String>,
) -> (ArmId, Value) {
    let MLPipelineSpec {
        display_name,
        description,
        inputs,
        outputs,
        // `steps` has them, prepared.
        steps: _,
        // Ids have them.
        workspace_ref: _,
        azure_name: _,
        // The steps have them, or the settings of a job.
        defaults: _,
        // What becomes of a component, and not what it is.
        publish: _,
        deletion_policy: _,
    } = &pipeline.spec;
    let inputs: Map<String, Value> =
        inputs.iter().map(|(name, input)| (name.clone(), declared(input))).collect();
    let outputs: Map<String, Value> =
        outputs.iter().map(|(name, output)| (name.clone(), declared_output(output))).collect();
    let jobs: Map<String, Value> = steps.iter().map(|step| (step.name.clone(), step.node.clone())).collect();
    let display = display_name.clone().or_else(|| pipeline.metadata.name.clone());
    let content = json!({"jobs": jobs, "inputs": inputs, "outputs": outputs, "displayName": display, "description": description});
    let version = hash::name("pipeline", &content);
    let mut component = json!({
        "$schema": PIPELINE_SCHEMA, "type": "pipeline", "name": base, "version": version,
        "display_name": display, "inputs": inputs, "outputs": outputs, "jobs": jobs,
    });
    if let Some(description) = description {
        component["description"] = json!(description);
    }
    (workspace.child("components", base).child("versions", &version), body(&component, tags))
}

fn body(spec: &Value, tags: &BTreeMap<String, String>) -> Value {
    json!({"properties": {"componentSpec": spec, "isAnonymous": false, "isArchived": false, "properties": {}, "tags": tags}})
}

fn prefixed(environment: &str) -> String {
    if environment.starts_with("azureml://") {
        environment.to_owned()
    } else {
        format!("azureml:{environment}")
    }
}

fn described(mut value: Value, description: Option<&String>) -> Value {
    if let Some(description) = description {
        value["description"] = json!(description);
    }
    value
}

/// An input of the whole as its component declares it. Azure ML stores every literal as text.
fn declared(input: &Input) -> Value {
    // A job says where data is and how it is read.
    let Input { r#type, path: _, mode: _, optional, default, minimum, maximum, r#enum, description } = input;
    let mut value = json!({"type": r#type.word()});
    if let Some(default) = default {
        value["default"] = json!(literal(&default.0));
    }
    if *optional == Some(true) {
        value["optional"] = json!(true);
    }
    for (key, bound) in [("min", minimum), ("max", maximum)] {
        if let Some(bound) = bound {
            value[key] = json!(number(*bound));
        }
    }
    if !r#enum.is_empty() {
        value["enum"] = json!(r#enum);
    }
    described(value, description.as_ref())
}

/// An output of the whole as its component declares it.
fn declared_output(output: &Output) -> Value {
    // A job says where data goes and how it is written.
    let Output { r#type, path: _, mode: _, description } = output;
    described(json!({"type": r#type.word()}), description.as_ref())
}

/// A number without a needless fraction.
fn number(value: f64) -> String {
    format!("{value}")
}
