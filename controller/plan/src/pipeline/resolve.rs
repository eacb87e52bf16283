//! What the names in a pipeline mean: clusters, environments, files, and how jobs run.

use super::wanted::Refs;
use crate::asset_name::{self, Collection};
use crate::component::bare::Place;
use crate::component::{Body, Resolved, Runs};
use crate::grants::Rights;
use crate::invalid::InvalidSpec;
use crate::source::of_step;
use crate::{component, hash};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{Current, Defaults, Settings};
use azureml_crds::step::{Nested, Step, StepData};
use azureml_crds::values::Input;
use serde_json::json;
use std::collections::BTreeMap;

/// The compute of steps that name none: its id, and for a serverless one the size.
type DefaultCompute = (Option<String>, Option<String>);

pub(super) fn default_compute(pipeline: &MLPipeline, refs: &Refs) -> Result<DefaultCompute, InvalidSpec> {
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.compute.as_ref());
    defaults.map_or(Ok((None, None)), |compute| compute_id("defaults.compute", compute, refs))
}

fn compute_id(
    field: &str,
    compute: &azureml_crds::step::Compute,
    refs: &Refs,
) -> Result<DefaultCompute, InvalidSpec> {
    let named = |name: &str| refs.workspace.id.child("computes", name).to_string();
    match (&compute.r#ref, &compute.name, &compute.serverless) {
        (Some(name), None, None) => {
            let id = refs.computes.get(name).cloned();
            id.map(|id| (Some(id), None))
                .ok_or_else(|| InvalidSpec::new(field, format!("there is no MLCompute {name}")))
        }
        (None, Some(name), None) => Ok((Some(named(name)), None)),
        (None, None, Some(serverless)) => Ok((Some(named("serverless")), serverless.instance_type.clone())),
        _ => Err(InvalidSpec::new(field, "set exactly one of ref, name, serverless")),
    }
}

pub(super) fn resolve(
    pipeline: &MLPipeline,
    step: &Step,
    refs: &Refs,
    default: &DefaultCompute,
) -> Result<Resolved, InvalidSpec> {
    let field = format!("steps.{}", step.name);
    let runs = runs(pipeline, step, refs, &field)?;
    let (compute, instance_type) = match &step.compute {
        Some(compute) => compute_id(&format!("{field}.compute"), compute, refs)?,
        None if matches!(runs, Runs::Pipeline(_) | Runs::PipelineComponent(_)) => (None, None),
        None if step.raw.is_some() => (None, None),
        None if default.0.is_some() => (None, default.1.clone()),
        None => {
            return Err(InvalidSpec::new(
                format!("{field}.compute"),
                "the step has no compute; set it here or in defaults.compute",
            ));
        }
    };
    let data = step
        .data
        .iter()
        .map(|(name, data)| Ok((name.clone(), in_place(&format!("{field}.data.{name}"), data, refs)?)));
    let data = data.collect::<Result<_, InvalidSpec>>()?;
    let asset = code_version(pipeline, step, refs)?;
    Ok(Resolved { runs, compute, instance_type, asset, data })
}

/// What a step runs.
fn runs(pipeline: &MLPipeline, step: &Step, refs: &Refs, field: &str) -> Result<Runs, InvalidSpec> {
    let component = |field: String, text: &str| asset((&field, text), Collection::Components, refs);
    match Body::of(step)? {
        Body::Own(own) => {
            if let Some(script) = own.script() {
                component::has_script(pipeline, step, &refs.sources, script)?;
            }
            let has_environment = own.needs_environment() || step.environment.is_some();
            let found =
                has_environment.then(|| environment(pipeline, step, refs, &format!("{field}.environment")));
            Ok(Runs::Own(found.transpose()?))
        }
        Body::AutoMl(_) | Body::Raw(_) => Ok(Runs::Node),
        Body::Component(text) => Ok(Runs::Component(component(format!("{field}.component"), text)?)),
        Body::Pipeline(Nested { r#ref: Some(name), .. }) => {
            let current = refs.pipelines.get(name).cloned();
            let current = current.ok_or_else(|| {
                InvalidSpec::new(format!("{field}.pipeline.ref"), format!("there is no MLPipeline {name}"))
            })?;
            Ok(Runs::Pipeline(Box::new(current)))
        }
        Body::Pipeline(Nested { component: Some(text), .. }) => {
            Ok(Runs::PipelineComponent(component(format!("{field}.pipeline.component"), text)?))
        }
        Body::Pipeline(Nested { r#ref: None, component: None }) => {
            Err(InvalidSpec::new(format!("{field}.pipeline"), "set exactly one of ref, component"))
        }
    }
}

/// The environment version of a step.
fn environment(pipeline: &MLPipeline, step: &Step, refs: &Refs, field: &str) -> Result<String, InvalidSpec> {
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.environment.as_ref());
    let environment = step.environment.as_ref().or(defaults).ok_or_else(|| {
        InvalidSpec::new(field, "the step has no environment; set it here or in defaults.environment")
    })?;
    match (&environment.r#ref, &environment.id) {
        (Some(name), _) => refs
            .environments
            .get(name)
            .cloned()
            .ok_or_else(|| InvalidSpec::new(field, format!("there is no MLEnvironment {name}"))),
        (None, Some(text)) => asset((&format!("{field}.id"), text), Collection::Environments, refs),
        (None, None) => Err(InvalidSpec::new(field, "set exactly one of ref, id")),
    }
}

/// The code version that a step names.
fn code_version(pipeline: &MLPipeline, step: &Step, refs: &Refs) -> Result<Option<ArmId>, InvalidSpec> {
    let Some((field, source)) = of_step(pipeline, step) else { return Ok(None) };
    let Some(text) = &source.asset else { return Ok(None) };
    let field = format!("{field}.asset");
    let named = asset((&field, text), Collection::Codes, refs)?;
    let id = ArmId::parse(&named).ok().filter(|id| id.segment("codes").is_some());
    let id = id.ok_or_else(|| {
        InvalidSpec::new(
            &field,
            format!("{named:?} is no version of code; write azureml:<name>:<version>, or its ARM id"),
        )
    })?;
    Ok(Some(id))
}

/// Where the data of a step is.
fn in_place(field: &str, data: &StepData, refs: &Refs) -> Result<String, InvalidSpec> {
    match (&data.path, &data.r#ref) {
        (Some(path), None) => asset((&format!("{field}.path"), path), Collection::Data, refs),
        (None, Some(name)) => named(&format!("{field}.ref"), name, data.r#type.word(), refs),
        _ => Err(InvalidSpec::new(field, "set exactly one of path, ref")),
    }
}

/// The version of an MLData, which is of the type that is read.
fn named(field: &str, name: &str, r#type: &str, refs: &Refs) -> Result<String, InvalidSpec> {
    let data = refs.data.get(name);
    let data = data.ok_or_else(|| InvalidSpec::new(field, format!("there is no MLData {name}")))?;
    if data.r#type.word() == r#type {
        return Ok(data.id.clone());
    }
    let message = format!("MLData {name} is a {}; write that as the type here too", data.r#type.word());
    Err(InvalidSpec::new(field, message))
}

/// The inputs as a run takes them: an MLData is the id of its version.
pub(super) fn inputs(pipeline: &MLPipeline, refs: &Refs) -> Result<BTreeMap<String, Input>, InvalidSpec> {
    let resolved = |(name, input): (&String, &Input)| {
        let Some(data) = &input.r#ref else { return Ok((name.clone(), input.clone())) };
        if input.path.is_some() {
            return Err(InvalidSpec::new(format!("inputs.{name}"), "set at most one of path, ref"));
        }
        let path = named(&format!("inputs.{name}.ref"), data, input.r#type.word(), refs)?;
        Ok((name.clone(), Input { path: Some(path), r#ref: None, ..input.clone() }))
    };
    pipeline.spec.inputs.iter().map(resolved).collect()
}

/// An asset that exists, as a request names it.
fn asset((field, text): (&str, &str), collection: Collection, refs: &Refs) -> Result<String, InvalidSpec> {
    let named = asset_name::resolved((field, text), collection, &refs.workspace.id, &refs.pins)?;
    refs.workspace.rights.address(field, &named)?;
    Ok(named)
}

/// What a pipeline reads and writes by addresses of its own.
pub(super) fn addresses(pipeline: &MLPipeline, rights: &Rights) -> Result<(), InvalidSpec> {
    let spec = &pipeline.spec;
    let inputs = spec.inputs.iter().map(|(name, input)| (format!("inputs.{name}.path"), &input.path));
    let outputs = spec.outputs.iter().map(|(name, output)| (format!("outputs.{name}.path"), &output.path));
    let is_bound = |path: &String| path.starts_with("${{") && path.ends_with("}}");
    let of_steps = spec.steps.iter().flat_map(|step| {
        let field = move |name| format!("steps.{}.outputs.{name}.path", step.name);
        step.outputs.iter().map(move |(name, output)| (field(name), &output.path))
    });
    let of_steps = of_steps.filter(|(_, path)| !path.as_ref().is_some_and(is_bound));
    let mut all = inputs.chain(outputs).chain(of_steps);
    all.try_for_each(|(field, path)| path.as_ref().map_or(Ok(()), |path| rights.address(&field, path)))?;
    spec.steps.iter().try_for_each(|step| component::addresses(step, rights))
}

pub(super) fn settings(pipeline: &MLPipeline, workspace: &ArmId, default: DefaultCompute) -> Settings {
    let Defaults {
        datastore,
        continue_on_step_failure,
        force_rerun,
        // It is resolved: `default` is what it means.
        compute: _,
        // The steps have them.
        environment: _,
        code: _,
    } = pipeline.spec.defaults.clone().unwrap_or_default();
    Settings {
        default_compute: default.0,
        default_datastore: datastore.map(|name| workspace.child("datastores", &name).to_string()),
        continue_on_step_failure: continue_on_step_failure.unwrap_or(false),
        force_rerun: force_rerun.unwrap_or(false),
        experiment: pipeline.spec.experiment.clone(),
        display_name: pipeline.spec.display_name.clone(),
        tags: pipeline.spec.tags.clone(),
    }
}

pub(super) fn current(
    pipeline: &MLPipeline,
    refs: &Refs,
    id: &ArmId,
    settings: &Settings,
    inputs: BTreeMap<String, Input>,
) -> Current {
    let outputs = pipeline.spec.outputs.clone();
    let content =
        json!({"componentId": id, "settings": settings.counted(), "inputs": inputs, "outputs": outputs});
    let version = hash::cut(&hash::content("current", &content), 12).to_owned();
    let places = component::bare::inputs(pipeline, &refs.pipelines);
    let at = |place| places.iter().filter(|(_, at)| **at == place).map(|(name, _)| name.clone()).collect();
    Current {
        version,
        component_id: id.to_string(),
        settings: settings.clone(),
        accepted_as: Some(refs.workspace.identity.clone()),
        inputs,
        bare_inputs: at(Place::Bare),
        double_quoted_inputs: at(Place::InDoubleQuotes),
        outputs,
    }
}
