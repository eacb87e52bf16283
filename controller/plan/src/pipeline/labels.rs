//! The labels of assets that a pipeline names, and that are looked up before it is registered.
//!
//! In: a pipeline. Out: labels, each once. Those of its inputs are for runs, which look them up themselves.

use crate::asset_name::{Collection, Label, all};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::step::{Environment, Step};

/// The labels that a pipeline registers with its steps.
#[must_use]
pub fn labels(pipeline: &MLPipeline, workspace: &ArmId) -> Vec<Label> {
    let steps = &pipeline.spec.steps;
    let defaults = pipeline.spec.defaults.iter().filter_map(|defaults| defaults.environment.as_ref());
    let environments = steps.iter().filter_map(|step| step.environment.as_ref()).chain(defaults);
    let environments = environments.filter_map(of_environment);
    all(environments.chain(steps.iter().flat_map(of_step)), workspace)
}

fn of_environment(environment: &Environment) -> Option<(&str, Collection)> {
    Some((environment.id.as_deref()?, Collection::Environments))
}

fn of_step(step: &Step) -> impl Iterator<Item = (&str, Collection)> {
    let nested = step.pipeline.iter().filter_map(|nested| nested.component.as_deref());
    let components = step.component.as_deref().into_iter().chain(nested);
    let data = step.data.values().filter_map(|data| Some((data.path.as_deref()?, Collection::Data)));
    components.map(|component| (component, Collection::Components)).chain(data)
}
