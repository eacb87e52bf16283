//! What an MLSchedule refers to: the version in force of its pipeline.

use super::pipeline::{in_force, vouched};
use super::world::place;
use super::{Access, Made, Resolve, Wait, World, access};
use crate::asset_name::Pins;
use crate::context::Workspace;
use crate::owner::Owner;
use crate::schedule::{Address, Made as Fired, Refs, id, is_fired_here, made};
use azureml_crds::{MLRun, MLSchedule};
use std::sync::Arc;

impl Resolve for MLSchedule {
    fn access(&self, world: World<'_>) -> Result<Access, Wait> {
        let (namespace, _) = place(&self.metadata);
        let (workspace, _) = in_force(world, &namespace, &self.spec.pipeline_ref.name)?;
        access(world, &namespace, &workspace)
    }

    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Refs, Wait> {
        let (namespace, _) = place(&self.metadata);
        let name = &self.spec.pipeline_ref.name;
        let (to, current) = in_force(world, &namespace, name)?;
        access.is_to(&to)?;
        let workspace = access.workspace()?;
        vouched(world, (&namespace, name), &current, &workspace)?;
        let (owner, form) = (world.owner(&self.metadata), world.settings.schedule_form);
        // A schedule's labels mean what they mean now, and are looked up in each pass.
        Ok(Refs { workspace, owner, current, pins: Pins::default(), form, runs: fired(self, world) })
    }

    fn owner(refs: &mut Refs) -> Option<&mut Owner> {
        Some(&mut refs.owner)
    }

    fn made(&self) -> Made {
        let status = self.status.as_ref();
        let is_made = status.is_some_and(|status| status.common.azure_id.is_some());
        let workspace = status.and_then(|status| status.workspace_ref.as_ref()).filter(|_| is_made);
        workspace.map_or(Made::Nothing, |workspace| Made::Something(workspace.clone()))
    }

    fn address(&self, workspace: &Workspace, owner: Owner) -> Address {
        Address { id: id(self, &workspace.id), owner }
    }
}

/// The MLRuns that a schedule made itself.
fn fired(schedule: &MLSchedule, world: World<'_>) -> Vec<Fired> {
    if !is_fired_here(schedule) {
        return Vec::new();
    }
    let is_near = |run: &&Arc<MLRun>| run.metadata.namespace == schedule.metadata.namespace;
    world.objects.runs().iter().filter(is_near).filter_map(|run| made(schedule, run)).collect()
}
