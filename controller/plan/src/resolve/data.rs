//! What an MLData refers to, and which version of it pipelines use.

use super::world::place;
use super::{Access, Made, Resolve, Wait, World, access};
use crate::context::Workspace;
use crate::data::{Address, Refs, id, version_name};
use crate::owner::Owner;
use crate::pipeline::Data;
use crate::reasons::Reason;
use azureml_crds::MLData;

impl Resolve for MLData {
    fn access(&self, world: World<'_>) -> Result<Access, Wait> {
        access(world, &place(&self.metadata).0, &self.spec.workspace_ref.name)
    }

    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Refs, Wait> {
        Ok(Refs { workspace: access.workspace()?, owner: world.owner(&self.metadata) })
    }

    fn made(&self) -> Made {
        Made::of(&self.spec.workspace_ref, self.status.as_ref().map(|status| &status.common))
    }

    fn address(&self, workspace: &Workspace, owner: Owner) -> Address {
        Address { id: id(self, &workspace.id), owner }
    }
}

/// The version of an MLData, for a pipeline: once it is that of the spec as it is now. The spec decides its name and its rights, so
/// that a forged status can at most name it before Azure has it.
pub(super) fn data(
    world: World<'_>,
    (namespace, name): (&str, &str),
    workspace: &Workspace,
) -> Result<Data, Wait> {
    let data = world.objects.data(namespace, name).ok_or_else(|| Wait::not_found("MLData", name))?;
    let of = &data.spec.workspace_ref.name;
    if *of != workspace.name {
        let message = format!(
            "MLData {name} is of MLWorkspace {of}, and a pipeline reads data of its own workspace, {}, only",
            workspace.name
        );
        return Err(Wait::stalled(Reason::INVALID_SPEC, message));
    }
    workspace
        .rights
        .address("path", &data.spec.path)
        .map_err(|invalid| Wait::stalled(invalid.reason, format!("MLData {name}: {}", invalid.message)))?;
    let version = version_name(&data.spec);
    if data.status.as_ref().and_then(|status| status.version.as_ref()) != Some(&version) {
        let message = format!("MLData {name} has no version of its present spec yet");
        return Err(Wait::new(Reason::REFERENCE_NOT_READY, message));
    }
    let id = id(&data, &workspace.id).child("versions", &version);
    Ok(Data { id: id.to_string(), r#type: data.spec.r#type })
}

#[cfg(test)]
mod tests;
