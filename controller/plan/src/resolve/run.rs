//! What an MLRun refers to: the version that it was made for.

use super::pipeline::{in_force, vouched};
use super::world::place;
use super::{Access, Made, Resolve, Wait, World, access};
use crate::asset_name::Pins;
use crate::context::Workspace;
use crate::owner::Owner;
use crate::run::{Address, Refs, id, is_restored, labels, was_seen};
use azureml_crds::MLRun;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::sharing::WorkspaceReference;

impl Resolve for MLRun {
    fn access(&self, world: World<'_>) -> Result<Access, Wait> {
        let (workspace, _) = recorded(self, world)?;
        access(world, &place(&self.metadata).0, &workspace)
    }

    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Refs, Wait> {
        let workspace = access.workspace()?;
        let (to, recorded) = recorded(self, world)?;
        access.is_to(&to)?;
        let current = to_run(self, world, recorded, &workspace)?;
        let told = self.status.as_ref().map(|status| status.resolved.as_slice()).unwrap_or_default();
        let pins = Pins::told(told, &labels(self, &current, &workspace.id));
        Ok(Refs { workspace, owner: world.owner(&self.metadata), current, pins })
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

/// The workspace and the version that were written down when the run began; before that, those of its pipeline.
fn recorded(run: &MLRun, world: World<'_>) -> Result<(WorkspaceReference, Current), Wait> {
    let (namespace, _) = place(&run.metadata);
    let status = run.status.clone().unwrap_or_default();
    match (status.workspace_ref, status.pipeline) {
        (Some(workspace), Some(current)) => Ok((workspace.seen_from(&namespace), current)),
        _ => in_force(world, &namespace, &run.spec.pipeline_ref.name),
    }
}

/// The version that was written down, whatever became of the pipeline, where its job was seen, or is looked for after a restore. Before that it is one that may be sent now: the
/// pipeline's present one, where the other was accepted under another identity.
fn to_run(run: &MLRun, world: World<'_>, recorded: Current, workspace: &Workspace) -> Result<Current, Wait> {
    if was_seen(run) || is_restored(run) {
        return Ok(recorded);
    }
    let (namespace, _) = place(&run.metadata);
    let name = &run.spec.pipeline_ref.name;
    let is_accepted = recorded.accepted_as.as_ref() == Some(&workspace.identity);
    let current = if is_accepted { recorded } else { in_force(world, &namespace, name)?.1 };
    vouched(world, (&namespace, name), &current, workspace)?;
    Ok(current)
}
