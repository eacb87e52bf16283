//! What an MLPipeline refers to, and which version of it runs and schedules use.

use super::compute::cluster;
use super::data::data;
use super::environment::environment;
use super::workspace::refusal;
use super::world::place;
use super::{Access, Made, Resolve, Wait, World, access};
use crate::asset_name::Pins;
use crate::context::Workspace;
use crate::owner::Owner;
use crate::pipeline::{
    Address, Refs, base_name, computes, data_refs, environments, generated_name, labels, pipelines, vouch,
};
use crate::reasons::Reason;
use crate::source::{Sources, of_pipeline};
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::sharing::WorkspaceReference;
use azureml_crds::source::Source;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

impl Resolve for MLPipeline {
    fn access(&self, world: World<'_>) -> Result<Access, Wait> {
        access(world, &place(&self.metadata).0, &self.spec.workspace_ref)
    }

    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Refs, Wait> {
        let workspace = access.workspace()?;
        let (namespace, _) = place(&self.metadata);
        let environments = all(environments(self), |name| {
            let id = environment(world, &namespace, name)?;
            let right = workspace.rights.address("environment.ref", &id);
            right.map_err(|invalid| {
                Wait::stalled(invalid.reason, format!("MLEnvironment {name}: {}", invalid.message))
            })?;
            Ok(id)
        })?;
        let computes = all(computes(self), |name| cluster(world, (&namespace, name), &workspace.id))?;
        let data = all(data_refs(self), |name| data(world, (&namespace, name), &workspace))?;
        let pipelines = nested(self, world, &workspace)?;
        let told = self.status.as_ref().map(|status| status.resolved.as_slice());
        let pins = Pins::told(told.unwrap_or_default(), &labels(self, &workspace.id));
        let (owner, deployments) = (world.owner(&self.metadata), world.settings.deployments);
        Ok(Refs {
            workspace,
            owner,
            environments,
            computes,
            data,
            pipelines,
            pins,
            sources: Sources::default(),
            deployments,
        })
    }

    fn sources(&self) -> Vec<(String, Cow<'_, Source>)> {
        of_pipeline(self).into_iter().map(|(field, source)| (field, Cow::Borrowed(source))).collect()
    }

    fn fetched(refs: &mut Refs, sources: Sources) {
        refs.sources = sources;
    }

    fn owner(refs: &mut Refs) -> Option<&mut Owner> {
        Some(&mut refs.owner)
    }

    fn made(&self) -> Made {
        let workspace = self.spec.workspace_ref.clone();
        let status = self.status.as_ref();
        let is_made =
            status.is_some_and(|status| status.common.azure_id.is_some() || status.endpoint.is_some());
        if is_made { Made::Something(workspace) } else { Made::Perhaps(workspace) }
    }

    fn address(&self, workspace: &Workspace, owner: Owner) -> Address {
        Address { workspace: workspace.id.clone(), owner }
    }
}

/// The versions in force of the pipelines that stand in the place of steps.
fn nested(
    pipeline: &MLPipeline,
    world: World<'_>,
    workspace: &Workspace,
) -> Result<BTreeMap<String, Current>, Wait> {
    let (namespace, own) = place(&pipeline.metadata);
    if let Some(circle) = circle(pipeline, world, &namespace) {
        let message =
            format!("pipelines stand in each other in a circle: {own} → {circle}; take one of them out");
        return Err(Wait::stalled(Reason::INVALID_SPEC, message));
    }
    all(pipelines(pipeline), |name| {
        let (of, current) = in_force(world, &namespace, name)?;
        let own = pipeline.spec.workspace_ref.seen_from(&namespace);
        if of != own {
            let message = format!(
                "MLPipeline {name} is of MLWorkspace {of}, and a pipeline stands in one of its own workspace, {own}, only"
            );
            return Err(Wait::stalled(Reason::INVALID_SPEC, message));
        }
        vouched(world, (&namespace, name), &current, workspace)?;
        Ok(current)
    })
}

/// The pipelines that a pipeline nests, and what these nest. In a circle it is one of them itself.
#[must_use]
pub fn within(pipeline: &MLPipeline, world: World<'_>) -> BTreeSet<String> {
    let (namespace, _) = place(&pipeline.metadata);
    let (mut left, mut known) = (pipelines(pipeline), BTreeSet::new());
    while let Some(name) = left.pop() {
        let found = world.objects.pipeline(&namespace, &name);
        if known.insert(name) {
            left.extend(found.iter().flat_map(|found| pipelines(found)));
        }
    }
    known
}

/// The way from what a pipeline nests back to itself; none where there is no such way. Each pipeline is looked at once: for each it is
/// kept by which it was met.
fn circle(pipeline: &MLPipeline, world: World<'_>, namespace: &str) -> Option<String> {
    let own = place(&pipeline.metadata).1;
    let mut met_by: BTreeMap<String, String> = BTreeMap::new();
    let mut left = vec![(own.clone(), pipelines(pipeline))];
    while let Some((from, inner)) = left.pop() {
        for name in inner {
            if name == own {
                return Some(way_back(&own, from, &met_by));
            }
            let Some(found) = world.objects.pipeline(namespace, &name) else { continue };
            if !met_by.contains_key(&name) {
                met_by.insert(name.clone(), from.clone());
                left.push((name, pipelines(&found)));
            }
        }
    }
    None
}

/// The names from the first pipeline below `own` to the last, and `own` again.
fn way_back(own: &str, last: String, met_by: &BTreeMap<String, String>) -> String {
    let before = |name: &String| met_by.get(name).filter(|name| *name != own).cloned();
    let mut way: Vec<String> = std::iter::successors(Some(last).filter(|last| last != own), before).collect();
    way.reverse();
    way.push(own.to_owned());
    way.join(" → ")
}

/// All references of one kind, or the first that is missing.
fn all<Found>(
    names: Vec<String>,
    find: impl Fn(&str) -> Result<Found, Wait>,
) -> Result<BTreeMap<String, Found>, Wait> {
    names.into_iter().map(|name| find(&name).map(|id| (name, id))).collect()
}

/// The workspace and the version in force of the MLPipeline that an object names.
pub(super) fn in_force(
    world: World<'_>,
    namespace: &str,
    name: &str,
) -> Result<(WorkspaceReference, Current), Wait> {
    let pipeline =
        world.objects.pipeline(namespace, name).ok_or_else(|| Wait::not_found("MLPipeline", name))?;
    let current = pipeline.status.as_ref().and_then(|status| status.current.clone());
    let current = current.ok_or_else(|| {
        Wait::new(Reason::REFERENCE_NOT_READY, format!("MLPipeline {name} has no version in force yet"))
    })?;
    Ok((pipeline.spec.workspace_ref.seen_from(namespace), current))
}

/// A version that a status tells is one of the pipeline's own.
pub(super) fn vouched(
    world: World<'_>,
    (namespace, name): (&str, &str),
    current: &Current,
    workspace: &Workspace,
) -> Result<(), Wait> {
    let found = world.objects.pipeline(namespace, name);
    let mut components = vec![generated_name(namespace, name)];
    components.extend(found.as_ref().map(|pipeline| base_name(pipeline)));
    vouch(current, &components, &workspace.id)
        .map_err(|invalid| Wait::stalled(invalid.reason, invalid.message))?;
    let refused = found.as_ref().and_then(|pipeline| refusal(&pipeline.status.as_ref()?.common));
    if let Some((reason, message)) = refused {
        return Err(Wait::stalled(reason, format!("MLPipeline {name}: {message}")));
    }
    if current.accepted_as.as_ref() == Some(&workspace.identity) {
        return Ok(());
    }
    Err(Wait::new(
        Reason::REFERENCE_NOT_READY,
        format!("MLPipeline {name} is not accepted yet under the identity that its workspace has now"),
    ))
}
