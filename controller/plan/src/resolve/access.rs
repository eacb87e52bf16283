//! By whose identity a workspace is reached, and what it may be used for.

use super::sharing::named;
use super::wait::Wait;
use super::world::World;
use crate::context::Workspace;
use crate::grants::{Asker, Rights};
use crate::reasons::Reason;
use crate::time;
use crate::workspace::{id, learned};
use azureml_client::ArmId;
use azureml_crds::MLWorkspace;
use azureml_crds::sharing::WorkspaceReference;
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
    /// How the object names it.
    pub reference: WorkspaceReference,
    /// How to sign in for it.
    pub login: Login,
    /// What it may be used for.
    pub rights: Rights,
    /// What its own namespace may use it for.
    host: Rights,
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
    pub(super) fn is_to(&self, workspace: &WorkspaceReference) -> Result<(), Wait> {
        if self.reference == *workspace {
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
        let used = (self.reference.clone(), self.rights.clone());
        learned(&self.object, &self.host, used).ok_or_else(|| {
            let message = format!("MLWorkspace {} is not ready yet", self.reference);
            Wait::new(Reason::WORKSPACE_NOT_READY, message)
        })
    }
}

impl Access {
    /// The ARM id of the workspace, where another namespace shares it and the object has not reached it yet: `before` is `status.workspaceId` of the
    /// object. What an object has reached is where it stays, also if the owner makes the MLWorkspace anew for another workspace.
    ///
    /// # Errors
    /// When the object has reached another workspace.
    pub fn joins(&self, before: Option<&str>) -> Result<Option<ArmId>, Wait> {
        if self.reference.namespace.is_none() {
            return Ok(None);
        }
        let now = id(&self.object);
        let Some(before) = before else { return Ok(Some(now)) };
        if ArmId::parse(before).is_ok_and(|before| before.key() == now.key()) {
            return Ok(None);
        }
        let message = format!(
            "let MLWorkspace {} name {before} again, or make a new object under another name: it names {now} now",
            self.reference
        );
        Err(Wait::stalled(Reason::WORKSPACE_CHANGED, message))
    }

    /// What keeps the owner's MLWorkspace from being used, for the object: a guest is told neither which Secrets there are nor which grants.
    #[must_use]
    pub fn told(&self, wait: Wait) -> Wait {
        of_host(&self.reference, wait)
    }
}

fn of_host(reference: &WorkspaceReference, wait: Wait) -> Wait {
    if reference.namespace.is_none() {
        return wait;
    }
    let message = format!(
        "ask the owner of MLWorkspace {reference} to look at its conditions: its identity cannot be used"
    );
    Wait { message, ..wait }
}

/// The way of an object of the namespace `own` to the workspace that it names.
///
/// # Errors
/// When there is no such MLWorkspace that may be used, or no grant for what it asks.
pub fn access(world: World<'_>, own: &str, reference: &WorkspaceReference) -> Result<Access, Wait> {
    let reference = reference.seen_from(own);
    let object = named(world, own, &reference)?;
    let access = access_of(world, object).map_err(|wait| of_host(&reference, wait))?;
    if reference.namespace.is_none() {
        return Ok(access);
    }
    let (_, asker) = asker(world, &access.object, own.to_owned());
    let rights = Rights::shared(&world.settings.grants, asker, id(&access.object));
    Ok(Access { reference, rights, ..access })
}

/// The way to a workspace by its MLWorkspace.
///
/// # Errors
/// When there is no grant for what it asks.
pub fn access_of(world: World<'_>, object: Arc<MLWorkspace>) -> Result<Access, Wait> {
    let (identity, rights) = identity(world, &object)?;
    let own = object.spec.resync.as_deref().and_then(|text| time::duration("resync", text).ok());
    let resync = own.unwrap_or(world.settings.resync).unsigned_abs();
    let reference = WorkspaceReference::own(object.metadata.name.clone().unwrap_or_default());
    let login = Login { cloud: cloud(world, &object).to_owned(), identity };
    Ok(Access { object, reference, login, host: rights.clone(), rights, resync })
}

fn cloud<'a>(world: World<'a>, workspace: &'a MLWorkspace) -> &'a str {
    workspace.spec.cloud.as_deref().unwrap_or(&world.settings.default_cloud)
}

/// The tenant of the identity that a workspace names, and a namespace that asks to act as that identity.
fn asker(world: World<'_>, workspace: &MLWorkspace, namespace: String) -> (Option<String>, Asker) {
    let identity = workspace.spec.identity.as_ref();
    let client = identity.and_then(|identity| identity.client_id.clone());
    let cloud = cloud(world, workspace).to_owned();
    let is_default_cloud = cloud == world.settings.default_cloud;
    let tenant = identity.and_then(|identity| identity.tenant_id.clone());
    (tenant, Asker { namespace, client, cloud, is_default_cloud })
}

fn identity(world: World<'_>, workspace: &MLWorkspace) -> Result<(Identity, Rights), Wait> {
    let (tenant, asker) = asker(world, workspace, workspace.metadata.namespace.clone().unwrap_or_default());
    let secret = workspace.spec.identity.as_ref().and_then(|identity| identity.secret_ref.as_ref());
    if let (Some(secret), Some(client), Some(tenant)) = (secret, &asker.client, &tenant) {
        let (client, tenant) = (client.clone(), tenant.clone());
        return Ok((Identity::Secret { client, tenant, name: secret.name.clone() }, Rights::Own));
    }
    let client = asker.client.clone();
    let rights = Rights::granted(&world.settings.grants, asker, id(workspace))
        .map_err(|missing| Wait::stalled(missing.reason, missing.message))?;
    Ok((client.map_or(Identity::Controller, |client| Identity::Federated { client, tenant }), rights))
}
