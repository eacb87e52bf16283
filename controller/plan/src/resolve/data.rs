//! What an MLData refers to, and which version of it pipelines use.

use super::world::place;
use super::{Access, Made, Resolve, Wait, World, access};
use crate::context::Workspace;
use crate::data::{Address, FIELD, Refs, id, told, version_name};
use crate::owner::Owner;
use crate::pipeline::Data;
use crate::reasons::Reason;
use crate::source::{Purpose, Sources};
use azureml_crds::MLData;
use azureml_crds::source::Source;
use std::borrow::Cow;

impl Resolve for MLData {
    fn access(&self, world: World<'_>) -> Result<Access, Wait> {
        access(world, &place(&self.metadata).0, &self.spec.workspace_ref)
    }

    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Refs, Wait> {
        let (workspace, owner) = (access.workspace()?, world.owner(&self.metadata));
        Ok(Refs { workspace, owner, sources: Sources::default() })
    }

    fn sources(&self) -> Vec<(String, Cow<'_, Source>)> {
        self.spec.source.iter().map(|source| (FIELD.to_owned(), Cow::Borrowed(source))).collect()
    }

    fn purpose(&self) -> Purpose {
        Purpose::Data
    }

    fn fetched(refs: &mut Refs, sources: Sources) {
        refs.sources = sources;
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

/// The version of an MLData, for a pipeline: once it is that of the spec as it is now. The spec decides its name and its rights, so
/// that a forged status can at most name it before Azure has it.
pub(super) fn data(
    world: World<'_>,
    (namespace, name): (&str, &str),
    workspace: &Workspace,
) -> Result<Data, Wait> {
    let data = world.objects.data(namespace, name).ok_or_else(|| Wait::not_found("MLData", name))?;
    let of = data.spec.workspace_ref.seen_from(namespace);
    if of != workspace.reference {
        let message = format!(
            "MLData {name} is of MLWorkspace {of}, and a pipeline reads data of its own workspace, {}, only",
            workspace.reference
        );
        return Err(Wait::stalled(Reason::INVALID_SPEC, message));
    }
    if let Some(path) = &data.spec.path {
        let right = workspace.rights.address("path", path);
        right.map_err(|invalid| {
            Wait::stalled(invalid.reason, format!("MLData {name}: {}", invalid.message))
        })?;
    }
    let version = told(&data).map(|content| version_name(&data.spec, &content)).unwrap_or_default();
    if version.is_empty() || data.status.as_ref().and_then(|status| status.version.as_ref()) != Some(&version)
    {
        let message = format!("MLData {name} has no version of its present spec yet");
        return Err(Wait::new(Reason::REFERENCE_NOT_READY, message));
    }
    let id = id(&data, &workspace.id).child("versions", &version);
    Ok(Data { id: id.to_string(), r#type: data.spec.r#type })
}

#[cfg(test)]
mod tests;
