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
use crate::identity::Who;
use azureml_client::client::Client;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::shared::{Common, HasCommon as _};
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_plan::context::Workspace;
use azureml_plan::grants::{Asker, Rights};
use azureml_plan::pipeline::{base_name, generated_name, vouch};
use azureml_plan::time;
use azureml_plan::workspace::learned;
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
    let (client, rights) = client(ctx, &object).await?;
    let not_ready = || Wait::new("WorkspaceNotReady", format!("MLWorkspace {name} is not ready yet"));
    let workspace = learned(&object, rights).ok_or_else(not_ready)?;
    Ok(Reachable { workspace, client, resync: resync(ctx, &object) })
}

/// A version that a status tells is one of the pipeline's own.
fn vouched(
    ctx: &Context,
    (namespace, pipeline): (&str, &str),
    current: &Current,
    workspace: &Workspace,
) -> Result<(), Wait> {
    let found = find(&ctx.stores.pipelines, namespace, pipeline);
    let mut components = vec![generated_name(namespace, pipeline)];
    components.extend(found.as_ref().map(|pipeline| base_name(pipeline)));
    vouch(current, &components, &workspace.id)
        .map_err(|invalid| Wait::stalled(invalid.reason, invalid.message))?;
    let refused = found.as_ref().and_then(|pipeline| refusal(&pipeline.status.as_ref()?.common));
    if let Some((reason, message)) = refused {
        return Err(Wait::stalled(reason, format!("MLPipeline {pipeline}: {message}")));
    }
    if current.accepted_as.as_ref() == Some(&workspace.identity) {
        return Ok(());
    }
    Err(Wait::new(
        "ReferenceNotReady",
        format!("MLPipeline {pipeline} is not accepted yet under the identity that its workspace has now"),
    ))
}

/// The reasons of what a grant does not give.
const NOT_GRANTED: [&str; 5] = [
    "IdentityNotGranted",
    "SubnetNotGranted",
    "WorkspaceNotGranted",
    "RegistryNotGranted",
    "AgentPoolNotGranted",
];

/// Why an object may not be used any more: something that it uses is not granted, or not any more.
fn refusal(common: &Common) -> Option<(&'static str, String)> {
    let ready = common.conditions.iter().find(|condition| condition.type_ == "Ready")?;
    let reason = NOT_GRANTED.into_iter().find(|reason| ready.reason == *reason)?;
    Some((reason, ready.message.clone()))
}

/// How often everything of a workspace is compared.
fn resync(ctx: &Context, workspace: &MLWorkspace) -> Duration {
    let own = workspace.spec.resync.as_deref().and_then(|text| time::duration("resync", text).ok());
    own.unwrap_or(ctx.resync).unsigned_abs()
}

/// The client of an MLWorkspace's identity, and what it may be used for.
async fn client(ctx: &Context, workspace: &MLWorkspace) -> Result<(Arc<Client>, Rights), Wait> {
    let namespace = workspace.namespace().unwrap_or_default();
    let cloud = workspace.spec.cloud.as_deref().unwrap_or(&ctx.default_cloud);
    let (who, rights) = who(ctx, workspace, (&namespace, cloud)).await?;
    let client = ctx.identities.client(cloud, &who).ok_or_else(|| {
        let known = ctx.identities.cloud_names().join(", ");
        let message = format!(
            "the controller's configuration knows no cloud {cloud}; it has {known}; the platform team names it in \
             grants[].clouds, or describes it in clouds"
        );
        Wait::stalled("UnknownCloud", message)
    })?;
    Ok((client, rights))
}

async fn who(
    ctx: &Context,
    workspace: &MLWorkspace,
    (namespace, cloud): (&str, &str),
) -> Result<(Who, Rights), Wait> {
    let identity = workspace.spec.identity.as_ref();
    let client = identity.and_then(|identity| identity.client_id.clone());
    let tenant = identity.and_then(|identity| identity.tenant_id.clone());
    if let (Some(secret), Some(client), Some(tenant)) =
        (identity.and_then(|identity| identity.secret_ref.as_ref()), &client, &tenant)
    {
        let secret = secret_of(ctx, namespace, &secret.name).await?;
        let who = Who::Secret { client: client.clone(), tenant: tenant.clone(), secret };
        return Ok((who, Rights::Own));
    }
    let asker = Asker {
        namespace: namespace.to_owned(),
        client: client.clone(),
        cloud: cloud.to_owned(),
        is_default_cloud: cloud == ctx.default_cloud,
    };
    let rights = Rights::granted(&ctx.grants, asker, azureml_plan::workspace::id(workspace))
        .map_err(|missing| Wait::stalled(missing.reason, missing.message))?;
    Ok((client.map_or(Who::Controller, |client| Who::Federated { client, tenant }), rights))
}

/// The key of the client's secret.
const SECRET_KEY: &str = "clientSecret";
/// The longest secret. Those of Entra ID have 40 characters.
const LONGEST_SECRET: usize = 1024;

/// Secrets are read by name when they are needed; nobody may list them.
async fn secret_of(ctx: &Context, namespace: &str, name: &str) -> Result<String, Wait> {
    if let Some(secret) = ctx.secrets.get(namespace, name) {
        return Ok(secret);
    }
    // A Secret may have 1 MiB: few are in memory at once, and who has waited may find it read.
    let _few = ctx.secrets.reads.permit(namespace).await;
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
    if value.len() > LONGEST_SECRET {
        let message = format!(
            "{SECRET_KEY} of Secret {name} is longer than {LONGEST_SECRET} bytes; write the client's secret there"
        );
        return Err(Wait::stalled("SecretIncomplete", message).unwatched());
    }
    ctx.secrets.keep(namespace, name, value.trim());
    Ok(value.trim().to_owned())
}
