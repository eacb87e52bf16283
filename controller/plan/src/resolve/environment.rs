//! What an MLEnvironment refers to, and which version of it others use.

use super::sharing::named;
use super::world::place;
use super::{Access, Made, Resolve, Wait, World, access};
use crate::context::Workspace;
use crate::environment::{
    Address, Images, Refs, content_name, context, id, is_of_content, pulled, purpose, told,
};
use crate::owner::Owner;
use crate::reasons::Reason;
use crate::source::{Purpose, Sources};
use azureml_client::image::ImageRef;
use azureml_crds::MLEnvironment;
use azureml_crds::source::Source;
use std::borrow::Cow;

impl Resolve for MLEnvironment {
    fn access(&self, world: World<'_>) -> Result<Access, Wait> {
        access(world, &place(&self.metadata).0, &self.spec.workspace_ref)
    }

    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Refs, Wait> {
        Ok(Refs::new(access.workspace()?, world.owner(&self.metadata)))
    }

    fn sources(&self) -> Vec<(String, Cow<'_, Source>)> {
        context(&self.spec).map(|(field, source)| (field.to_owned(), source)).into_iter().collect()
    }

    fn purpose(&self) -> Purpose {
        purpose(&self.spec)
    }

    fn fetched(refs: &mut Refs, sources: Sources) {
        refs.sources = sources;
    }

    fn owner(refs: &mut Refs) -> Option<&mut Owner> {
        Some(&mut refs.owner)
    }

    fn pulled(&self) -> Option<(&str, ImageRef)> {
        pulled(&self.spec)
    }

    fn made(&self) -> Made {
        Made::of(&self.spec.workspace_ref, self.status.as_ref().map(|status| &status.common))
    }

    fn address(&self, workspace: &Workspace, owner: Owner) -> Address {
        Address { id: id(self, &workspace.id), owner }
    }
}

/// The environment version of an MLEnvironment, for a pipeline: once it is that of the spec as it is now. Of its status only the
/// version is believed, and only one of this content.
pub(super) fn environment(world: World<'_>, namespace: &str, name: &str) -> Result<String, Wait> {
    let environment =
        world.objects.environment(namespace, name).ok_or_else(|| Wait::not_found("MLEnvironment", name))?;
    let workspace = named(world, namespace, &environment.spec.workspace_ref)?;
    let version = environment.status.as_ref().and_then(|status| status.version.clone());
    let content = content_name(&environment.spec, told(&environment), &Images::in_force(&environment));
    let version = version.filter(|version| is_of_content(version, &content));
    let version = version.ok_or_else(|| {
        let message = format!("MLEnvironment {name} has no version of its present spec yet");
        Wait::new(Reason::REFERENCE_NOT_READY, message)
    })?;
    let id = id(&environment, &crate::workspace::id(&workspace));
    Ok(id.child("versions", &version).to_string())
}
