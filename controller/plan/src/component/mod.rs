//! The components of a pipeline: one for every step, one for the whole; each version a hash of what the user wrote.
//!
//! In: a spec and the ids it resolves to. Out: bodies as Microsoft's client sends them. Source: Azure REST API,
//! `ComponentVersions_CreateOrUpdate`, and the command and pipeline component schemas of the Azure ML CLI v2.

mod after;
pub mod bare;
mod bodies;
mod check;
mod code;
mod literal;
mod node;
mod own;
mod ports;
mod registered;
mod resolved;
mod services;
mod step_body;

pub(crate) use self::after::ordered;
pub(crate) use self::bodies::automl_rules::tables;
pub(crate) use self::bodies::raw::addresses;
pub use self::code::{Code, Files, has_script};
pub use self::literal::literal;
pub use self::own::{Own, with_code};
use self::registered::body;
pub use self::resolved::{Resolved, Runs};
pub use self::step_body::Body;
use crate::hash;
use crate::invalid::InvalidSpec;
use crate::source::Sources;
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{Current, MLPipelineSpec};
use azureml_crds::step::Step;
use azureml_crds::values::{Input, Output};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const PIPELINE_SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json";

/// A step with everything that is registered for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The step's name.
    pub name: String,
    /// What it runs.
    pub component: Component,
    /// The step as a node of the pipeline.
    pub node: Value,
}

/// The component that a step runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Component {
    /// One that is registered for the step.
    Own(Own),
    /// One that exists: an ARM id or a registry's URI.
    Existing(String),
    /// None: the node says everything.
    None,
}

impl Prepared {
    /// The component that is registered for the step.
    #[must_use]
    pub fn own(&self) -> Option<&Own> {
        match &self.component {
            Component::Own(own) => Some(own),
            Component::Existing(_) | Component::None => None,
        }
    }
}

/// Everything that is wrong with a pipeline by itself. `nested` has those that stand in the place of steps, as far as they are known.
#[must_use]
pub fn check(pipeline: &MLPipeline, nested: &BTreeMap<String, Current>) -> Vec<InvalidSpec> {
    check::faults(pipeline, nested)
}

/// A step of a pipeline that was checked, ready to be registered.
///
/// # Errors
/// When something in it means nothing.
pub fn prepare(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    place: (&ArmId, &str),
    of: (&BTreeMap<String, String>, &Sources),
) -> Result<Prepared, InvalidSpec> {
    let nested = |id: &str| -> Result<_, InvalidSpec> {
        Ok((Component::Existing(id.to_owned()), bodies::nested::node(pipeline, step, resolved, id)?))
    };
    let (component, node) = match (&resolved.runs, Body::of(step)?) {
        (Runs::Own(environment), Body::Own(body)) => {
            let (tags, sources) = of;
            let code = code::code(pipeline, step, (sources, place.0), resolved.asset.as_ref())?;
            let own = own::prepare(pipeline, step, (body, environment.as_deref()), place, (tags, code))?;
            let node = runner(pipeline, step, resolved, own.id.as_str())?;
            (Component::Own(own), node)
        }
        (Runs::Component(id), _) => (Component::Existing(id.clone()), runner(pipeline, step, resolved, id)?),
        (Runs::PipelineComponent(id), _) => nested(id)?,
        (Runs::Pipeline(current), _) => nested(&current.component_id)?,
        (Runs::Node, Body::AutoMl(automl)) => {
            (Component::None, bodies::automl::node(pipeline, step, resolved, automl)?)
        }
        (Runs::Node, Body::Raw(raw)) => (Component::None, bodies::raw::node(pipeline, step, resolved, raw)?),
        (Runs::Own(_) | Runs::Node, _) => {
            return Err(InvalidSpec::new(
                format!("steps.{}", step.name),
                "what it resolves to is of another body",
            ));
        }
    };
    Ok(Prepared { name: step.name.clone(), component, node })
}

/// The node of a step with a component of commands or batches: of one run, or of the trials of a sweep.
fn runner(pipeline: &MLPipeline, step: &Step, resolved: &Resolved, id: &str) -> Result<Value, InvalidSpec> {
    match step {
        Step { parallel: Some(_), .. } => bodies::parallel::node(pipeline, step, resolved, id),
        Step { databricks: Some(_), .. } => bodies::databricks::node(pipeline, step, resolved, id),
        Step { spark: Some(spark), .. } => bodies::spark::node(pipeline, step, resolved, (spark, id)),
        Step { sweep: Some(sweep), .. } => bodies::sweep::node(pipeline, step, resolved, (sweep, id)),
        _ => bodies::command::node(pipeline, step, resolved, id),
    }
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
        experiment: _,
        tags: _,
        // When labels are looked up; what they mean is in the steps.
        refresh: _,
        // What becomes of a component, and not what it is.
        publish: _,
        deletion_policy: _,
        // A run of it, and no part of it.
        run_on_change: _,
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

fn described(mut value: Value, description: Option<&String>) -> Value {
    if let Some(description) = description {
        value["description"] = json!(description);
    }
    value
}

/// An input of the whole as its component declares it. Azure ML stores every literal as text.
fn declared(input: &Input) -> Value {
    // A job says where data is and how it is read.
    let Input {
        r#type,
        path: _,
        r#ref: _,
        mode: _,
        optional,
        default,
        minimum,
        maximum,
        r#enum,
        description,
    } = input;
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
    // A job says where data goes, how it is written, and as what it is registered.
    let Output { r#type: _, path: _, mode: _, name: _, version: _, description } = output;
    described(json!({"type": output.kind().word()}), description.as_ref())
}

/// A number without a needless fraction.
fn number(value: f64) -> String {
    format!("{value}")
}
