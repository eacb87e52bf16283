//! What the names in a pipeline mean: clusters, environments, files, and how jobs run.

use super::wanted::Refs;
use crate::component::bare::Place;
use crate::component::{Body, Resolved};
use crate::grants::Rights;
use crate::invalid::InvalidSpec;
use crate::{component, hash};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{Current, Defaults, Settings};
use azureml_crds::step::Step;
use serde_json::json;

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
        (None, None, Some(serverless)) => {
            Ok((Some(named("serverless")), Some(serverless.instance_type.clone())))
        }
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
    let (compute, instance_type) = match &step.compute {
        Some(compute) => compute_id(&format!("{field}.compute"), compute, refs)?,
        None if default.0.is_some() => (None, default.1.clone()),
        None => {
            return Err(InvalidSpec::new(
                format!("{field}.compute"),
                "the step has no compute; set it here or in defaults.compute",
            ));
        }
    };
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.environment.as_ref());
    let environment = step.environment.as_ref().or(defaults).ok_or_else(|| {
        InvalidSpec::new(
            format!("{field}.environment"),
            "the step has no environment; set it here or in defaults.environment",
        )
    })?;
    let environment = match (&environment.r#ref, &environment.id) {
        (Some(name), _) => refs.environments.get(name).cloned(),
        (None, id) => id.clone(),
    };
    let environment = environment
        .ok_or_else(|| InvalidSpec::new(format!("{field}.environment"), "set exactly one of ref, id"))?;
    refs.workspace.rights.address(&format!("{field}.environment.id"), &environment)?;
    let needs_code = Body::of(step)?.needs_code();
    if needs_code && component::code(pipeline, step, &refs.workspace.id).is_none() {
        return Err(InvalidSpec::new(
            format!("{field}.code"),
            "the script has no files; set code here or in defaults.code",
        ));
    }
    Ok(Resolved { environment, compute, instance_type })
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
    all.try_for_each(|(field, path)| path.as_ref().map_or(Ok(()), |path| rights.address(&field, path)))
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
    }
}

pub(super) fn current(pipeline: &MLPipeline, refs: &Refs, id: &ArmId, settings: &Settings) -> Current {
    let (inputs, outputs) = (pipeline.spec.inputs.clone(), pipeline.spec.outputs.clone());
    let content = json!({"componentId": id, "settings": settings, "inputs": inputs, "outputs": outputs});
    let version = hash::cut(&hash::content("current", &content), 12).to_owned();
    let places = component::bare::inputs(pipeline);
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
