//! The components of a pipeline: one for every step, one for the whole; each version a hash of what the user wrote.
//!
//! In: a spec and the ids it resolves to. Out: bodies as Microsoft's client sends them. Source: Azure REST API,
//! `ComponentVersions_CreateOrUpdate`, and the command and pipeline component schemas of the Azure ML CLI v2.

pub mod bare;
mod check;
mod node;
mod ports;

use self::node::node;
use self::ports::{component_inputs, component_outputs};
use crate::context::InvalidSpec;
use crate::{hash, names, shell};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::step::{Script, Step};
use azureml_crds::values::Input;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const COMMAND_SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json";
const PIPELINE_SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json";

/// What a step resolves to.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The environment version: an ARM id or a registry's URI.
    pub environment: String,
    /// The compute; none where the pipeline's default serves.
    pub compute: Option<String>,
    /// The size of a serverless node.
    pub instance_type: Option<String>,
}

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
    let command = command(step)?;
    check::optional(pipeline, step, &command)?;
    let code = code(pipeline, step, workspace);
    let inputs = component_inputs(pipeline, step);
    let outputs = component_outputs(pipeline, step);
    let content = json!({
        "command": command, "python": step.python, "r": step.r, "inputs": inputs, "outputs": outputs,
        "code": code.as_ref().map(|code| &code.hash), "environment": resolved.environment,
        "displayName": step.display_name, "description": step.description, "deterministic": step.deterministic,
    });
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
    let spec = &pipeline.spec;
    let inputs: Map<String, Value> =
        spec.inputs.iter().map(|(name, input)| (name.clone(), declared(input))).collect();
    let outputs: Map<String, Value> = spec
        .outputs
        .iter()
        .map(|(name, output)| {
            (name.clone(), described(json!({"type": output.r#type.word()}), output.description.as_ref()))
        })
        .collect();
    let jobs: Map<String, Value> = steps.iter().map(|step| (step.name.clone(), step.node.clone())).collect();
    let display = spec.display_name.clone().or_else(|| pipeline.metadata.name.clone());
    let content = json!({"jobs": jobs, "inputs": inputs, "outputs": outputs, "displayName": display, "description": spec.description});
    let version = hash::name("pipeline", &content);
    let mut component = json!({
        "$schema": PIPELINE_SCHEMA, "type": "pipeline", "name": base, "version": version,
        "display_name": display, "inputs": inputs, "outputs": outputs, "jobs": jobs,
    });
    if let Some(description) = &spec.description {
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

/// The command line of a step.
///
/// # Errors
/// When the step has no body; the schema refuses that before.
pub fn command(step: &Step) -> Result<String, InvalidSpec> {
    let script =
        |interpreter: &str, script: &Script| shell::line(&[interpreter, &script.script], &script.args);
    let typed = step.python.as_ref().or(step.r.as_ref());
    if let Some(arg) = typed.and_then(|script| script.args.iter().find(|arg| shell::has_part_of_group(arg))) {
        let message = format!(
            "{arg:?} has a group in it; write the whole argument as a group: $[[--name=${{{{inputs.name}}}}]]"
        );
        return Err(InvalidSpec::new(format!("steps.{}.args", step.name), message));
    }
    match (&step.command, &step.python, &step.r) {
        (Some(command), None, None) => Ok(command.clone()),
        (None, Some(python), None) => Ok(script("python", python)),
        (None, None, Some(r)) => Ok(script("Rscript", r)),
        _ => Err(InvalidSpec::new(format!("steps.{}", step.name), "set exactly one of command, python, r")),
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
    let mut value = json!({"type": input.r#type.word()});
    if let Some(default) = &input.default {
        value["default"] = json!(literal(&default.0));
    }
    if input.optional == Some(true) {
        value["optional"] = json!(true);
    }
    for (key, bound) in [("min", input.minimum), ("max", input.maximum)] {
        if let Some(bound) = bound {
            value[key] = json!(number(bound));
        }
    }
    if !input.r#enum.is_empty() {
        value["enum"] = json!(input.r#enum);
    }
    described(value, input.description.as_ref())
}

/// A number without a needless fraction.
fn number(value: f64) -> String {
    format!("{value}")
}

/// A scalar as Azure ML stores it: text, with `True` and `False` for booleans.
#[must_use]
pub fn literal(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
