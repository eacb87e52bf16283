//! The components of a pipeline: one for every step, one for the whole; each version a hash of what the user wrote.
//!
//! In: a spec and the ids it resolves to. Out: bodies as Microsoft's client sends them. Source: Azure REST API,
//! `ComponentVersions_CreateOrUpdate`, and the command and pipeline component schemas of the Azure ML CLI v2.

use crate::context::InvalidSpec;
use crate::{hash, names, shell, time};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::step::{Script, Step, StepOutput};
use azureml_crds::values::{Input, OutputType};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const PARENT_INPUT: &str = "${{parent.inputs.";
const PARENT_OUTPUT: &str = "${{parent.outputs.";
const PARENT_JOB: &str = "${{parent.jobs.";
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
    /// The files.
    pub files: BTreeMap<String, String>,
}

/// The files of a step, where it has some.
#[must_use]
pub fn code(pipeline: &MLPipeline, step: &Step, workspace: &ArmId) -> Option<Code> {
    let defaults = pipeline.spec.defaults.as_ref();
    let code = step.code.as_ref().or_else(|| defaults.and_then(|defaults| defaults.code.as_ref()))?;
    let hash = hash::files(&code.files);
    let id = workspace.child("codes", &names::code(&hash)).child("versions", "1");
    Some(Code { hash, id, files: code.files.clone() })
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
    let code = code(pipeline, step, workspace);
    let inputs = component_inputs(pipeline, step);
    let outputs = component_outputs(pipeline, step);
    let content = json!({
        "command": step.command, "python": step.python, "r": step.r, "inputs": inputs, "outputs": outputs,
        "code": code.as_ref().map(|code| &code.hash), "environment": resolved.environment,
        "displayName": step.display_name, "description": step.description, "deterministic": step.deterministic,
    });
    let version = hash::cut(&hash::content("component", &content), 12).to_owned();
    let name = names::step_component(base, &step.name);
    let id = workspace.child("components", &name).child("versions", &version);
    let mut spec = json!({
        "$schema": COMMAND_SCHEMA, "type": "command", "name": name, "version": version,
        "display_name": step.display_name.as_ref().unwrap_or(&step.name),
        "is_deterministic": step.deterministic.unwrap_or(true),
        "command": command(step)?,
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
    let version = hash::cut(&hash::content("pipeline", &content), 12).to_owned();
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

/// What the inputs of a step are bound to.
enum Bound<'a> {
    Input(&'a str),
    Output(&'a str, &'a str),
    Literal,
}

fn bound(value: &IntOrString) -> Bound<'_> {
    let IntOrString::String(text) = value else { return Bound::Literal };
    let inner = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix("}}"));
    if let Some(input) = inner(PARENT_INPUT) {
        return Bound::Input(input);
    }
    match inner(PARENT_JOB).and_then(|rest| rest.split_once(".outputs.")) {
        Some((step, output)) => Bound::Output(step, output),
        None => Bound::Literal,
    }
}

fn component_inputs(pipeline: &MLPipeline, step: &Step) -> Map<String, Value> {
    let of = |value: &IntOrString| match (bound(value), value) {
        (Bound::Input(name), _) => pipeline.spec.inputs.get(name).map_or_else(
            || json!({"type": "string"}),
            |input| match input.optional {
                Some(true) => json!({"type": input.r#type.word(), "optional": true}),
                _ => json!({"type": input.r#type.word()}),
            },
        ),
        (Bound::Output(from, output), _) => json!({"type": output_type(pipeline, from, output).word()}),
        (Bound::Literal, IntOrString::Int(_)) => json!({"type": "integer"}),
        (Bound::Literal, IntOrString::String(_)) => json!({"type": "string"}),
    };
    step.inputs.iter().map(|(name, value)| (name.clone(), of(value))).collect()
}

fn component_outputs(pipeline: &MLPipeline, step: &Step) -> Map<String, Value> {
    step.outputs
        .keys()
        .map(|name| (name.clone(), json!({"type": output_type(pipeline, &step.name, name).word()})))
        .collect()
}

/// The type of a step's output: its own, else that of the pipeline's output it is bound to, else a folder.
fn output_type(pipeline: &MLPipeline, step: &str, output: &str) -> OutputType {
    let found =
        pipeline.spec.steps.iter().find(|one| one.name == step).and_then(|step| step.outputs.get(output));
    let parent = |path: &String| {
        let name = path.strip_prefix(PARENT_OUTPUT)?.strip_suffix("}}")?;
        pipeline.spec.outputs.get(name).map(|output| output.r#type)
    };
    found
        .and_then(|found| found.r#type.or_else(|| found.path.as_ref().and_then(parent)))
        .unwrap_or(OutputType::UriFolder)
}

/// A step as a node of the pipeline: snake case but for the two ids, as Azure ML wants it.
fn node(pipeline: &MLPipeline, step: &Step, resolved: &Resolved, id: &ArmId) -> Result<Value, InvalidSpec> {
    let inputs: Map<String, Value> =
        step.inputs.iter().map(|(name, value)| (name.clone(), node_input(step, name, value))).collect();
    let outputs: Map<String, Value> = step
        .outputs
        .iter()
        .filter_map(|(name, output)| {
            Some((name.clone(), node_output(output, output_type(pipeline, &step.name, name))?))
        })
        .collect();
    let mut node = json!({"type": "command", "name": step.name, "componentId": id, "inputs": inputs, "outputs": outputs});
    if let Some(display) = &step.display_name {
        node["display_name"] = json!(display);
    }
    if let Some(compute) = &resolved.compute {
        node["computeId"] = json!(compute);
    }
    if !step.environment_variables.is_empty() {
        node["environment_variables"] = json!(step.environment_variables);
    }
    let resources = resources(step, resolved);
    if !resources.is_empty() {
        node["resources"] = Value::Object(resources);
    }
    if let Some(timeout) = &step.timeout {
        let timeout = time::iso(time::duration("timeout", timeout)?);
        node["limits"] = json!({"job_limits_type": "Command", "timeout": timeout});
    }
    Ok(node)
}

fn resources(step: &Step, resolved: &Resolved) -> Map<String, Value> {
    let mut resources = Map::new();
    if let Some(asked) = &step.resources {
        resources.insert("instance_count".into(), json!(asked.instance_count.unwrap_or(1)));
        if let Some(size) = &asked.shm_size {
            resources.insert("shm_size".into(), json!(size));
        }
    }
    if let Some(size) = &resolved.instance_type {
        resources.insert("instance_type".into(), json!(size));
    }
    resources
}

fn node_input(step: &Step, name: &str, value: &IntOrString) -> Value {
    let text = match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => text.clone(),
    };
    let mut input = json!({"job_input_type": "literal", "value": text});
    if let Some(mode) = step.input_modes.get(name) {
        input["mode"] = json!(mode.word());
    }
    input
}

/// A node's output; none where Azure ML's defaults serve.
fn node_output(output: &StepOutput, r#type: OutputType) -> Option<Value> {
    match &output.path {
        Some(path) if path.starts_with(PARENT_OUTPUT) => Some(json!({"type": "literal", "value": path})),
        path => {
            let mut value = json!({"job_output_type": r#type.word()});
            if let Some(path) = path {
                value["uri"] = json!(path);
            }
            if let Some(mode) = output.mode {
                value["mode"] = json!(mode.word());
            }
            (path.is_some() || output.mode.is_some()).then_some(value)
        }
    }
}
