//! By whose identity a workspace is reached, and what it may be used for.

use super::wait::Wait;
use super::world::World;
use crate::context::Workspace;
use crate::grants::{Asker, Rights};
use crate::reasons::Reason;
use crate::time;
use crate::workspace::{id, learned};
use azureml_crds::MLWorkspace;
use std::sync::Arc;
use std::time::Duration;

/// Whose identity is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The controller's own.
    Controller,
    /// The controller's federated token, exchanged for this client.
    Federated {
        /// The client.
        client: String,
        /// Its tenant; the controller's own where none is given.
        tenant: Option<String>,
    },
    /// A client, whose secret is in a Secret of the namespace.
    Secret {
        /// The client.
        client: String,
        /// Its tenant.
        tenant: String,
        /// The name of the Secret.
        name: String,
    },
}

/// How to sign in for a workspace. Only [`access`] and [`access_of`] make one, after they have asked the grants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The cloud.
    pub cloud: String,
    /// As whom.
    pub identity: Identity,
}

/// A workspace that may be used. Only [`access`] and [`access_of`] make one, after they have asked the grants.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Access {
    /// The MLWorkspace.
    pub object: Arc<MLWorkspace>,
    /// How to sign in for it.
    pub login: Login,
    /// What it may be used for.
    pub rights: Rights,
    /// How often everything of it is compared with Azure.
    pub resync: Duration,
}

impl Access {
    /// The namespace of the workspace, and of the Secret that its login names.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.object.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Whether it is the way to this MLWorkspace. What an object refers to may have changed since it was made.
    ///
    /// # Errors
    /// When it is the way to another.
    pub(super) fn is_to(&self, workspace: &str) -> Result<(), Wait> {
        if self.object.metadata.name.as_deref() == Some(workspace) {
            return Ok(());
        }
        Err(Wait::new(
            Reason::REFERENCE_NOT_READY,
            format!("what it refers to was just moved to MLWorkspace {workspace}"),
        ))
    }

    /// The workspace in Azure, as its MLWorkspace has found it.
    ///
    /// # Errors
    /// When it was not found yet.
    pub fn workspace(&self) -> Result<Workspace, Wait> {
        learned(&self.object, self.rights.clone()).ok_or_else(|| {
            let name = self.object.metadata.name.as_deref().unwrap_or_default();
            Wait::new(Reason::WORKSPACE_NOT_READY, format!("MLWorkspace {name} is not ready yet"))
        })
    }
}

/// The way to the workspace of an MLWorkspace.
///
/// # Errors
/// When there is no such object, or no grant for what it asks.
pub fn access(world: World<'_>, namespace: &str, name: &str) -> Result<Access, Wait> {
    let object =
        world.objects.workspace(namespace, name).ok_or_else(|| Wait::not_found("MLWorkspace", name))?;
    access_of(world, object)
}

/// The way to a workspace by its MLWorkspace.
///
/// # Errors
/// When there is no grant for what it asks.
pub fn access_of(world: World<'_>, object: Arc<MLWorkspace>) -> Result<Access, Wait> {
    let default_cloud = &world.settings.default_cloud;
    let cloud = object.spec.cloud.clone().unwrap_or_else(|| default_cloud.clone());
    let (identity, rights) = identity(world, &object, &cloud)?;
    let own = object.spec.resync.as_deref().and_then(|text| time::duration("resync", text).ok());
    let resync = own.unwrap_or(world.settings.resync).unsigned_abs();
    Ok(Access { object, login: Login { cloud, identity }, rights, resync })
}

fn identity(world: World<'_>, workspace: &MLWorkspace, cloud: &str) -> Result<(Identity, Rights), Wait> {
    let identity = workspace.spec.identity.as_ref();
    let client = identity.and_then(|identity| identity.client_id.clone());
    let tenant = identity.and_then(|identity| identity.tenant_id.clone());
    if let (Some(secret), Some(client), Some(tenant)) =
        (identity.and_then(|identity| identity.secret_ref.as_ref()), &client, &tenant)
    {
        let (client, tenant) = (client.clone(), tenant.clone());
        return Ok((Identity::Secret { client, tenant, name: secret.name.clone() }, Rights::Own));
    }
    let asker = Asker {
        namespace: workspace.metadata.namespace.clone().unwrap_or_default(),
        client: client.clone(),
        cloud: cloud.to_owned(),
        is_default_cloud: cloud == world.settings.default_cloud,
    };
    let rights = Rights::granted(&world.settings.grants, asker, id(workspace))
        .map_err(|missing| Wait::stalled(missing.reason, missing.message))?;
    Ok((client.map_or(Identity::Controller, |client| Identity::Federated { client, tenant }), rights))
}
