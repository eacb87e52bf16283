//! The kinds: what each refers to in Kubernetes and reads in Azure. What they decide is in `azureml-plan`.

mod compute;
mod environment;
pub mod firings;
mod pipeline;
mod publication;
mod run;
mod schedule;
mod versions;
mod workspace;

use crate::engine::relations::Name;
use crate::engine::{Context, Kind, Wait};
use crate::identity::{DEFAULT_CLOUD, Who, is_granted, missing_grant};
use azureml_client::ArmId;
use azureml_client::client::Client;
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_plan::context::Workspace;
use azureml_plan::time;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::api::Api;
use kube::runtime::reflector::{ObjectRef, Store};
use std::sync::Arc;
use std::time::Duration;

/// The objects of every kind, as the watches have seen them.
pub struct Stores {
    /// Workspaces.
    pub workspaces: Store<MLWorkspace>,
    /// Clusters.
    pub computes: Store<MLCompute>,
    /// Environments.
    pub environments: Store<MLEnvironment>,
    /// Pipelines.
    pub pipelines: Store<MLPipeline>,
    /// Schedules.
    pub schedules: Store<MLSchedule>,
    /// Runs.
    pub runs: Store<MLRun>,
}

/// An object of a store by its name.
fn find<K: Kind>(store: &Store<K>, namespace: &str, name: &str) -> Option<Arc<K>> {
    store.get(&ObjectRef::new(name).within(namespace))
}

/// The name of another object in the same namespace.
fn named<K: Kind, Other: Kind>(object: &K, name: &str) -> Name {
    Name { kind: Other::KIND, namespace: object.namespace().unwrap_or_default(), name: name.to_owned() }
}

/// Whether a pass was asked for that has not been handled.
fn is_requested<K: Kind>(object: &K) -> bool {
    let handled = object.status().and_then(|status| status.common().last_handled_reconcile_at.clone());
    let asked = azureml_plan::context::requested(object.meta());
    asked.is_some() && asked != handled
}

/// Whether nothing can have been made in a workspace: it is not there, or was never found in Azure.
fn never_reached(ctx: &Context, namespace: &str, name: &str) -> bool {
    let workspace = find(&ctx.stores.workspaces, namespace, name);
    workspace.is_none_or(|workspace| workspace.status.as_ref().is_none_or(|status| status.region.is_none()))
}

/// A workspace and the way to it.
struct Reachable {
    workspace: Workspace,
    client: Arc<Client>,
    resync: Duration,
}

/// The MLWorkspace of an object, ready to be used.
async fn reach(ctx: &Context, namespace: &str, name: &str) -> Result<Reachable, Wait> {
    let object = find(&ctx.stores.workspaces, namespace, name).ok_or_else(|| {
        Wait::new("ReferenceNotFound", format!("there is no MLWorkspace {name} in this namespace yet"))
    })?;
    let client = client(ctx, &object).await?;
    let status = object.status.clone().unwrap_or_default();
    let region = status
        .region
        .ok_or_else(|| Wait::new("WorkspaceNotReady", format!("MLWorkspace {name} is not ready yet")))?;
    let resync =
        status.resync.as_deref().and_then(|text| time::duration("resync", text).ok()).unwrap_or(ctx.resync);
    let id = azureml_plan::workspace::id(&object);
    let workspace = Workspace { name: name.to_owned(), id, region, registry: status.registry };
    Ok(Reachable { workspace, client, resync: resync.unsigned_abs() })
}

/// The client of an MLWorkspace's identity.
async fn client(ctx: &Context, workspace: &MLWorkspace) -> Result<Arc<Client>, Wait> {
    let namespace = workspace.namespace().unwrap_or_default();
    let cloud = workspace.spec.cloud.as_deref().unwrap_or(DEFAULT_CLOUD);
    let who = who(ctx, workspace, &namespace).await?;
    ctx.identities.client(cloud, &who).ok_or_else(|| {
        let known = ctx.identities.cloud_names().join(", ");
        Wait::stalled(
            "UnknownCloud",
            format!("the controller's configuration has no cloud {cloud}; it has {known}"),
        )
    })
}

async fn who(ctx: &Context, workspace: &MLWorkspace, namespace: &str) -> Result<Who, Wait> {
    let identity = workspace.spec.identity.as_ref();
    let client = identity.and_then(|identity| identity.client_id.clone());
    let tenant = identity.and_then(|identity| identity.tenant_id.clone());
    if let (Some(secret), Some(client), Some(tenant)) =
        (identity.and_then(|identity| identity.secret_ref.as_ref()), &client, &tenant)
    {
        let secret = secret_of(ctx, namespace, &secret.name).await?;
        return Ok(Who::Secret { client: client.clone(), tenant: tenant.clone(), secret });
    }
    let id = azureml_plan::workspace::id(workspace);
    let registry =
        workspace.spec.registry.as_ref().and_then(|registry| ArmId::parse(&registry.resource_id).ok());
    if !is_granted(&ctx.grants, namespace, client.as_deref(), &id, registry.as_ref()) {
        return Err(Wait::stalled(
            "IdentityNotGranted",
            missing_grant(namespace, client.as_deref(), workspace),
        ));
    }
    Ok(client.map_or(Who::Controller, |client| Who::Federated { client, tenant }))
}

/// The key of the client's secret.
const SECRET_KEY: &str = "clientSecret";

/// Secrets are read by name when they are needed; nobody may list them.
async fn secret_of(ctx: &Context, namespace: &str, name: &str) -> Result<String, Wait> {
    if let Some(secret) = ctx.secrets.get(namespace, name) {
        return Ok(secret);
    }
    let api: Api<Secret> = Api::namespaced(ctx.kube.clone(), namespace);
    let secret = api.get_opt(name).await.map_err(|error| {
        Wait::new("SecretUnreadable", format!("failed to read Secret {name}: {error}")).unwatched()
    })?;
    let secret = secret.ok_or_else(|| {
        let message =
            format!("there is no Secret {name} in this namespace; create it with the key {SECRET_KEY}");
        Wait::new("SecretNotFound", message).unwatched()
    })?;
    let value = secret.data.as_ref().and_then(|data| data.get(SECRET_KEY));
    let value = value
        .and_then(|bytes| String::from_utf8(bytes.0.clone()).ok())
        .filter(|text| !text.trim().is_empty());
    let value = value.ok_or_else(|| {
        let message = format!("Secret {name} has no key {SECRET_KEY}; add it");
        Wait::stalled("SecretIncomplete", message).unwatched()
    })?;
    ctx.secrets.keep(namespace, name, value.trim());
    Ok(value.trim().to_owned())
}
