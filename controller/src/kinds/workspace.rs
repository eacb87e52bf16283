//! MLWorkspace: what it reads. It names nothing, and everything names it.

use super::{client, is_requested, resync};
use crate::engine::relations::Name;
use crate::engine::watch::name_of;
use crate::engine::{Context, Kind, Leaving, Reached, Resolved};
use crate::looks::Look;
use crate::upload::{container, default_datastore};
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use azureml_crds::ml_run::Phase;
use azureml_crds::ml_workspace::MLWorkspaceStatus;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLWorkspace};
use azureml_plan::failure::Trouble;
use azureml_plan::preflight::{Asked, Evidence, Storage, asks_storage, refused};
use azureml_plan::workspace::{Refs, Seen, Users, Wanted, believed, discovery, registry_id};
use kube::ResourceExt as _;
use std::hash::Hash;
use std::sync::Arc;

impl Kind for MLWorkspace {
    const KIND: &'static str = "MLWorkspace";

    /// What was learned under another identity or of another registry says nothing now.
    fn status_before(&self) -> MLWorkspaceStatus {
        believed(self)
    }

    fn status_refused(&self, trouble: &Trouble) -> MLWorkspaceStatus {
        let mut status = self.status_before();
        status.preflight = refused(&status.preflight, trouble);
        status
    }

    fn refers_to(&self) -> Vec<Name> {
        Vec::new()
    }

    fn offer(&self) -> impl Hash {
        // What is believed: where the spec changes, it is nothing until it was learned anew, and who waits for that is woken.
        let status = believed(self);
        let registry = status.registry.map(|registry| (registry.resource_id, registry.login_server));
        (
            status.region,
            registry,
            status.data_plane,
            status.resync,
            serde_json::to_string(&self.spec.identity).ok(),
        )
    }

    fn holds(&self) -> bool {
        false
    }

    fn is_retained(&self) -> bool {
        true
    }

    fn kept_by(&self, ctx: &Context) -> Vec<String> {
        ctx.holders(&name_of(self), &[MLCompute::KIND, MLEnvironment::KIND, MLPipeline::KIND])
    }

    async fn resolve(&self, ctx: &Context) -> Resolved<Reached<Refs>> {
        match client(ctx, self).await {
            Ok((client, rights)) => {
                let refs = Refs { resync: ctx.resync, rights };
                Resolved::Found(Reached { refs, client, resync: resync(ctx, self) })
            }
            Err(wait) => Resolved::Wait(wait),
        }
    }

    async fn observe(
        &self,
        ctx: &Context,
        reached: &Reached<Refs>,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        let azure = &reached.client;
        let workspace = azure.get(&wanted.id, Urgency::Change).await?;
        if workspace.is_none() {
            ctx.looks.forget_below(&wanted.id);
        }
        let registry = match registry_id(wanted, workspace.as_ref()) {
            Some(id) if reached.refs.rights.registry(&id).is_ok() => azure.get(&id, Urgency::Change).await?,
            _ => None,
        };
        let known = believed(self).data_plane;
        let data_plane = match (discovery(workspace.as_ref()), known) {
            (_, Some(known)) => Some(known),
            (Some(address), None) => discover(azure, address).await,
            (None, None) => None,
        };
        let preflight = match &workspace {
            Some(_) => {
                let asks = look.is_change || is_requested(self) || asks_storage(&believed(self).preflight);
                let storage = if asks { Some(storage(azure, &wanted.id).await) } else { None };
                Some(evidence(self, ctx, storage))
            }
            None => None,
        };
        Ok(Seen { workspace, registry, data_plane, preflight })
    }

    async fn leaving(&self, _: &Context) -> Leaving<Users> {
        Leaving::Nothing
    }

    async fn left(&self, _: &Context, _: &Reached<Users>) -> Result<(), Error> {
        Ok(())
    }
}

/// What the objects of the namespace tell of a workspace, beside what its storage answered.
fn evidence(object: &MLWorkspace, ctx: &Context, storage: Option<Storage>) -> Evidence {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let is_here = |of: Option<String>, workspace: &str| of.as_ref() == Some(&namespace) && workspace == name;
    let mut build = Asked::Open;
    for environment in ctx.stores.environments.state() {
        if is_here(environment.namespace(), &environment.spec.workspace_ref.name) {
            match built(&environment) {
                Asked::Open => {}
                Asked::Done => {
                    build = Asked::Done;
                    break;
                }
                refused @ Asked::Refused(_) => build = refused,
            }
        }
    }
    let has_run = |run: &Arc<MLRun>| {
        let status = run.status.as_ref();
        let workspace = status.and_then(|status| status.workspace_ref.as_ref());
        workspace.is_some_and(|workspace| is_here(run.namespace(), &workspace.name))
            && status.and_then(|status| status.phase) == Some(Phase::Succeeded)
    };
    Evidence { build, has_run: ctx.stores.runs.state().iter().any(has_run), storage }
}

/// What an environment tells of builds: its own has succeeded, or was refused for a right on the registry.
fn built(environment: &MLEnvironment) -> Asked {
    let Some(status) = &environment.status else { return Asked::Open };
    if status.build.as_ref().is_some_and(|build| build.state == "Succeeded") {
        return Asked::Done;
    }
    let refused = status.common.conditions.iter().find(|condition| {
        condition.reason == "AuthorizationFailed"
            && condition.message.contains("Microsoft.ContainerRegistry/")
    });
    refused.map_or(Asked::Open, |condition| Asked::Refused(condition.reason.clone()))
}

/// What the storage answers: one read of Azure, and one question to the host of its blobs that nobody has to be known for.
async fn storage(azure: &Client, id: &ArmId) -> Storage {
    let datastore = default_datastore(azure, id).await;
    let host = match datastore.as_ref().ok().and_then(container) {
        Some(address) => azure
            .reach_blobs(&address)
            .await
            .map_or_else(|error| Asked::Refused(error.reason()), |()| Asked::Done),
        None => Asked::Open,
    };
    // Azure's own words differ from time to time, so the reason alone is told.
    Storage { datastore: datastore.map_err(|error| error.reason()), host }
}

/// The data plane behind a discovery address. Everything but following a run goes without it, so a failure is no error.
async fn discover(azure: &Client, address: &str) -> Option<String> {
    match azure.get_open("discovery", address).await {
        Ok(document) => document["api"].as_str().map(str::to_owned),
        Err(error) => {
            tracing::warn!("the data plane is not found: {error}");
            None
        }
    }
}
