//! What an MLCompute refers to, and where a cluster is, for those that name it.

use super::sharing::named;
use super::workspace::refusal;
use super::world::place;
use super::{Access, Made, Resolve, Wait, World, access};
use crate::compute::{Address, Refs, id};
use crate::context::Workspace;
use crate::owner::Owner;
use crate::reasons::Reason;
use crate::report::is_ready;
use azureml_client::ArmId;
use azureml_crds::MLCompute;

impl Resolve for MLCompute {
    fn access(&self, world: World<'_>) -> Result<Access, Wait> {
        access(world, &place(&self.metadata).0, &self.spec.workspace_ref)
    }

    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Refs, Wait> {
        let (namespace, name) = place(&self.metadata);
        Ok(Refs {
            workspace: access.workspace()?,
            owner: world.owner(&self.metadata),
            used_by: world.objects.users(&namespace, &name),
            scales_by_patch: world.settings.scales_by_patch,
        })
    }

    fn owner(refs: &mut Refs) -> Option<&mut Owner> {
        Some(&mut refs.owner)
    }

    fn made(&self) -> Made {
        Made::of(&self.spec.workspace_ref, self.status.as_ref().map(|status| &status.common))
    }

    fn address(&self, workspace: &Workspace, owner: Owner) -> Address {
        Address { id: id(self, &workspace.id), owner }
    }
}

/// Where a cluster is, for a pipeline: once Azure has it.
pub(super) fn cluster(
    world: World<'_>,
    (namespace, name): (&str, &str),
    workspace: &ArmId,
) -> Result<String, Wait> {
    let compute = world.objects.compute(namespace, name).ok_or_else(|| Wait::not_found("MLCompute", name))?;
    let own = &compute.spec.workspace_ref;
    if crate::workspace::id(&*named(world, namespace, own)?).key() != workspace.key() {
        let message = format!(
            "name an MLCompute of the pipeline's own workspace: MLCompute {name} is of MLWorkspace {own}"
        );
        return Err(Wait::stalled(Reason::INVALID_SPEC, message));
    }
    let status = compute.status.clone().unwrap_or_default();
    if let Some((reason, message)) = refusal(&status.common) {
        return Err(Wait::stalled(reason, format!("MLCompute {name}: {message}")));
    }
    if !is_ready(&status.common.conditions) && status.common.applied_hash.is_none() {
        return Err(Wait::new(Reason::REFERENCE_NOT_READY, format!("MLCompute {name} is not ready yet")));
    }
    Ok(id(&compute, workspace).to_string())
}
