//! References: what an object names, found in anything that can look objects up, and the identity by which Azure is reached.
//!
//! In: an object, [`Objects`] (stores in the controller, files elsewhere), [`Settings`]. Out: what a decision needs, or what
//! is missing. Reads no Secret and makes no client: a [`Login`] says by whose.

mod access;
mod compute;
mod data;
mod environment;
mod pipeline;
mod run;
mod schedule;
mod sharing;
mod wait;
mod workspace;
mod world;

pub use access::{Access, Identity, Login, access, access_of};
pub use pipeline::within;
pub use sharing::{is_unreached, may_allow};
pub use wait::Wait;
pub use workspace::refusal;
pub use world::{Objects, Settings, World};

use crate::context::Workspace;
use crate::owner::Owner;
use crate::source::{Purpose, Sources};
use crate::{Decide, Leave};
use azureml_client::image::ImageRef;
use azureml_crds::shared::Common;
use azureml_crds::sharing::WorkspaceReference;
use azureml_crds::source::Source;
use std::borrow::Cow;

/// What was made in Azure for an object that is being deleted, and through which MLWorkspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Nothing.
    Nothing,
    /// Perhaps something, unless its workspace was never reached: `status` has no `azureId`, but a request may have been sent.
    /// For kinds that write their address after the first request.
    Perhaps(WorkspaceReference),
    /// Something: `status` has its `azureId`.
    Something(WorkspaceReference),
}

impl Made {
    /// For a kind that writes its address after the first request.
    fn of(workspace: &WorkspaceReference, status: Option<&Common>) -> Self {
        let workspace = workspace.clone();
        let is_made = status.is_some_and(|common| common.azure_id.is_some());
        if is_made { Self::Something(workspace) } else { Self::Perhaps(workspace) }
    }
}

/// How the references of a kind are found.
pub trait Resolve: Decide + Leave {
    /// The way to the workspace in which the object is.
    ///
    /// # Errors
    /// When a reference is missing, or a grant.
    fn access(&self, world: World<'_>) -> Result<Access, Wait>;

    /// What the object refers to.
    ///
    /// # Errors
    /// What is missing.
    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Self::Refs, Wait>;

    /// The sources of files that have to be fetched before it is known what is wanted, by their fields.
    fn sources(&self) -> Vec<(String, Cow<'_, Source>)> {
        Vec::new()
    }

    /// What their files are for.
    fn purpose(&self) -> Purpose {
        Purpose::Code
    }

    /// Takes what was found in them.
    fn fetched(_: &mut Self::Refs, _: Sources) {}

    /// The object as an owner, where others may have had its names in Azure before.
    #[must_use]
    fn owner(_: &mut Self::Refs) -> Option<&mut Owner> {
        None
    }

    /// The Secret that signs in at a registry, and the image that is looked up there.
    fn pulled(&self) -> Option<(&str, ImageRef)> {
        None
    }

    /// What was made for the object, as its status tells.
    fn made(&self) -> Made;

    /// What is known of an object that is being deleted.
    fn address(&self, workspace: &Workspace, owner: Owner) -> Self::Address;
}
