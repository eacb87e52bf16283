//! MLPipeline: files uploaded once, a component for every step and one for the whole, then the endpoint.
//!
//! Nothing is remembered between passes but in Azure and in `status.current`: what exists under our name is equal, for
//! every version is a hash.

mod instances;
mod labels;
mod leave;
mod register;
mod resolve;
mod run_on_change;
mod seen;
mod vouch;
mod wanted;

pub use self::instances::{existing, is_instance, was_instance};
pub use self::labels::{are_labels_due, labels};
pub use self::leave::{Address, Left};
use self::register::register;
use self::resolve::{addresses, current, default_compute, inputs, resolve, settings};
pub use self::seen::{Presence, Seen};
pub use self::vouch::{generated_name, vouch};
pub use self::wanted::{Data, Deployments, Refs, Wanted};
use crate::action::Plan;
use crate::component::{Code, Component, Prepared};
use crate::invalid::InvalidSpec;
use crate::owner::Belongs;
use crate::taken::taken;
use crate::{Decide, View, component, graph, names, publish, tags as tag_names};
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{MLPipelineStatus, StepStatus};
use std::collections::BTreeMap;

/// The name of the pipeline component.
#[must_use]
pub fn base_name(pipeline: &MLPipeline) -> String {
    let meta = &pipeline.metadata;
    let generated = || {
        let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
        names::generated(names::COMPONENT, namespace.unwrap_or_default(), name.unwrap_or_default())
    };
    pipeline.spec.azure_name.clone().unwrap_or_else(generated)
}

/// The MLEnvironments that a pipeline names.
#[must_use]
pub fn environments(pipeline: &MLPipeline) -> Vec<String> {
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.environment.as_ref());
    let own = pipeline.spec.steps.iter().filter_map(|step| step.environment.as_ref());
    sorted(own.chain(defaults).filter_map(|environment| environment.r#ref.clone()))
}

/// The MLComputes that a pipeline names.
#[must_use]
pub fn computes(pipeline: &MLPipeline) -> Vec<String> {
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.compute.as_ref());
    let own = pipeline.spec.steps.iter().filter_map(|step| step.compute.as_ref());
    sorted(own.chain(defaults).filter_map(|compute| compute.r#ref.clone()))
}

/// The MLData that a pipeline names.
#[must_use]
pub fn data_refs(pipeline: &MLPipeline) -> Vec<String> {
    let inputs = pipeline.spec.inputs.values().filter_map(|input| input.r#ref.clone());
    let of_steps = pipeline.spec.steps.iter().flat_map(|step| step.data.values());
    sorted(inputs.chain(of_steps.filter_map(|data| data.r#ref.clone())))
}

/// The MLPipelines that a pipeline has in the place of steps.
#[must_use]
pub fn pipelines(pipeline: &MLPipeline) -> Vec<String> {
    let nested = pipeline.spec.steps.iter().filter_map(|step| step.pipeline.as_ref());
    sorted(nested.filter_map(|nested| nested.r#ref.clone()))
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

impl Decide for MLPipeline {
    type Status = MLPipelineStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Seen;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        let workspace = &refs.workspace.id;
        let base = base_name(self);
        let tags = refs.owner.tags(&BTreeMap::new());
        tag_names::unique(&self.spec.tags)?;
        addresses(self, &refs.workspace.rights)?;
        component::check(self, &refs.pipelines).into_iter().next().map_or(Ok(()), Err)?;
        let default_compute = default_compute(self, refs)?;
        let ordered = component::ordered(self)?;
        let ordered = ordered.as_ref();
        let steps = ordered
            .spec
            .steps
            .iter()
            .map(|step| {
                component::prepare(
                    ordered,
                    step,
                    &resolve(ordered, step, refs, &default_compute)?,
                    (workspace, &base),
                    (&tags, &refs.sources),
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let (id, body) = component::whole(self, &steps, (workspace, &base), &tags);
        let settings = settings(self, workspace, default_compute);
        let current = current(self, refs, &id, &settings, inputs(self, refs)?);
        let endpoint =
            self.spec.publish.as_ref().map(|publish| workspace.child("batchEndpoints", &publish.endpoint));
        Ok(Wanted { steps, id, body, settings, current, endpoint, tags })
    }

    fn plan(&self, view: View<'_, Self>) -> Plan {
        let mut plan = instances::warned(self, view.seen, decide(self, &view));
        run_on_change::add(self, &view, &mut plan);
        let again = labels::looked_up_again(self, &labels::resolved(self, &view.refs.pins, view.ask));
        Plan { at: plan.at.into_iter().chain(again).min(), ..plan }
    }

    fn facts(&self, view: View<'_, Self>, plan: &Plan) -> MLPipelineStatus {
        let mut status = self.status.clone().unwrap_or_default();
        status.pending_run = run_on_change::pending(self, &view, plan, &status);
        let View { refs, wanted, seen, ask } = view;
        status.resolved = labels::resolved(self, &refs.pins, ask);
        status.sources = refs.sources.status(&status.sources, ask.now);
        if seen.whole == Presence::Here {
            status.common.azure_id = Some(wanted.id.to_string());
            status.version = Some(wanted.current.version.clone());
            status.current = Some(wanted.current.clone());
            status.steps = wanted.steps.iter().map(step_status).collect();
            status.graph = Some(graph::mermaid(&self.spec.steps));
        }
        // While one of another name is left, its name is not forgotten.
        if seen.publication.strays.is_empty() && !seen.publication.is_awaited {
            let endpoint = seen.publication.endpoint.as_ref();
            // Another's endpoint is no address of this pipeline.
            let is_ours = endpoint.is_some_and(|endpoint| refs.owner.of(&endpoint["tags"]) == Belongs::Us);
            let told = is_ours.then(|| publish::status(self, wanted, &seen.publication));
            status.endpoint = told.flatten();
        }
        status
    }
}

fn decide(pipeline: &MLPipeline, View { refs, wanted, seen, ask }: &View<'_, MLPipeline>) -> Plan {
    if let Some(refused) = publish::refused(wanted, &refs.owner, &seen.publication) {
        return refused;
    }
    if !seen.publication.strays.is_empty() {
        return publish::remove(&seen.publication.strays);
    }
    if let Some(refused) = others(wanted, seen) {
        return refused;
    }
    if seen.whole != Presence::Here {
        return register(pipeline, refs, wanted, seen);
    }
    publish::plan(pipeline, refs, wanted, &seen.publication, ask)
}

/// A component that is another's is neither used nor written over.
fn others(wanted: &Wanted, seen: &Seen) -> Option<Plan> {
    let of_steps = wanted.owned().filter_map(|(step, own)| Some((&own.id, seen.steps.get(&step.name)?)));
    let (id, owner) = std::iter::once((&wanted.id, &seen.whole)).chain(of_steps).find_map(
        |(id, presence)| match presence {
            Presence::Another(owner) => Some((id, owner)),
            Presence::Absent | Presence::Here | Presence::Archived(_) => None,
        },
    )?;
    Some(taken(id, owner, "give this object another azureName"))
}

fn step_status(step: &Prepared) -> StepStatus {
    let (component_id, code, environment) = match &step.component {
        Component::Own(own) => (Some(own.id.to_string()), own.code.as_ref(), own.environment.clone()),
        Component::Existing(id) => (Some(id.clone()), None, None),
        Component::None => (None, None, None),
    };
    let code_hash = code.and_then(Code::files).map(|files| files.hash.clone());
    StepStatus { name: step.name.clone(), component_id, code_hash, environment }
}
