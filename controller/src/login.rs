//! Signing in for a workspace: the client of an identity, with its secret where it has one.
//!
//! In: a login. Out: a client, or what is missing. Secrets are read by name when they are needed; nobody may list them.

use crate::credentials::Who;
use crate::engine::Context;
use azureml_client::client::Client;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::{Access, Identity, Wait};
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use std::sync::Arc;

/// The client for a workspace that may be used.
///
/// # Errors
/// When its Secret or its cloud is missing.
pub async fn client(ctx: &Context, access: &Access) -> Result<Arc<Client>, Wait> {
    let who = match &access.login.identity {
        Identity::Controller => Who::Controller,
        Identity::Federated { client, tenant } => {
            Who::Federated { client: client.clone(), tenant: tenant.clone() }
        }
        Identity::Secret { client, tenant, name } => {
            let secret = secret_of(ctx, access.namespace(), name).await?;
            Who::Secret { client: client.clone(), tenant: tenant.clone(), secret }
        }
    };
    let cloud = &access.login.cloud;
    ctx.identities.client(cloud, &who).ok_or_else(|| {
        let known = ctx.identities.cloud_names().join(", ");
        let message = format!(
            "the controller's configuration knows no cloud {cloud}; it has {known}; the platform team names it in \
             grants[].clouds, or describes it in clouds"
        );
        Wait::stalled(Reason::UNKNOWN_CLOUD, message)
    })
}

/// The key of the client's secret.
const SECRET_KEY: &str = "clientSecret";
/// The longest secret. Those of Entra ID have 40 characters.
const LONGEST_SECRET: usize = 1024;

/// The client's secret in a Secret.
async fn secret_of(ctx: &Context, namespace: &str, name: &str) -> Result<String, Wait> {
    if let Some(secret) = ctx.secrets.get(namespace, name) {
        return Ok(secret);
    }
    // A Secret may have 1 MiB: few are in memory at once, and a pass that has waited may find it read.
    let _few = ctx.secrets.reads.permit(namespace).await;
    if let Some(secret) = ctx.secrets.get(namespace, name) {
        return Ok(secret);
    }
    let api: Api<Secret> = Api::namespaced(ctx.kube.clone(), namespace);
    let secret = api.get_opt(name).await.map_err(|error| {
        Wait::new(Reason::SECRET_UNREADABLE, format!("failed to read Secret {name}: {error}")).unwatched()
    })?;
    let secret = secret.ok_or_else(|| {
        let message =
            format!("there is no Secret {name} in this namespace; create it with the key {SECRET_KEY}");
        Wait::new(Reason::SECRET_NOT_FOUND, message).unwatched()
    })?;
    let value = secret.data.as_ref().and_then(|data| data.get(SECRET_KEY));
    let value = value
        .and_then(|bytes| String::from_utf8(bytes.0.clone()).ok())
        .filter(|text| !text.trim().is_empty());
    let value = value.ok_or_else(|| {
        let message = format!("Secret {name} has no key {SECRET_KEY}; add it");
        Wait::stalled(Reason::SECRET_INCOMPLETE, message).unwatched()
    })?;
    if value.len() > LONGEST_SECRET {
        let message = format!(
            "{SECRET_KEY} of Secret {name} is longer than {LONGEST_SECRET} bytes; write the client's secret there"
        );
        return Err(Wait::stalled(Reason::SECRET_INCOMPLETE, message).unwatched());
    }
    ctx.secrets.keep(namespace, name, value.trim());
    Ok(value.trim().to_owned())
}
