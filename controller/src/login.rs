//! Signing in with the Secrets of Kubernetes. How it is done is in `azureml-access`.
//!
//! In: a login. Out: a client, or what is missing. Secrets are read by name when they are needed; nobody may list them.

use crate::engine::Context;
use azureml_access::login::{Desk, Holder};
use azureml_client::client::Client;
use azureml_plan::resolve::{Access, Wait};
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The client for a workspace that may be used.
///
/// # Errors
/// When its Secret or its cloud is missing.
pub async fn client(ctx: &Context, access: &Access) -> Result<Arc<Client>, Wait> {
    Desk { identities: &ctx.identities, secrets: &ctx.secrets, holder: ctx }.client(access).await
}

impl Holder for Context {
    async fn secret(&self, namespace: &str, name: &str) -> anyhow::Result<Option<BTreeMap<String, Vec<u8>>>> {
        let api: Api<Secret> = Api::namespaced(self.kube.clone(), namespace);
        let data = api.get_opt(name).await?.map(|secret| secret.data.unwrap_or_default());
        Ok(data.map(|data| data.into_iter().map(|(key, value)| (key, value.0)).collect()))
    }
}
