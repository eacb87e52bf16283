//! Signing in for a workspace: the client of an identity, with its secret or certificate where it has one.
//!
//! In: a login, whatever holds Secrets. Out: a client, or what is missing. A Secret is read by its name when it is needed.

use crate::credentials::Who;
use crate::identity::Identities;
use crate::proof::{self, Proof};
use crate::secrets::Secrets;
use azureml_client::client::Client;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::{Access, Identity, Wait};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What holds Secrets: Kubernetes, or files.
pub trait Holder: Sync {
    /// What a Secret holds, by key; `None` when there is no such Secret.
    ///
    /// # Errors
    /// When it cannot be read; the text of the error is shown in conditions.
    fn secret(
        &self,
        namespace: &str,
        name: &str,
    ) -> impl Future<Output = anyhow::Result<Option<BTreeMap<String, Vec<u8>>>>> + Send;
}

/// By what a program signs in.
pub struct Desk<'a, H> {
    /// The clouds, and the clients that were made for them.
    pub identities: &'a Identities,
    /// Secrets that were read just now.
    pub secrets: &'a Secrets,
    /// What holds the others.
    pub holder: &'a H,
}

impl<H: Holder> Desk<'_, H> {
    /// The client for a workspace that may be used.
    ///
    /// # Errors
    /// When its Secret or its cloud is missing.
    pub async fn client(&self, access: &Access) -> Result<Arc<Client>, Wait> {
        let who = match &access.login.identity {
            Identity::Controller => Who::Controller,
            Identity::Federated { client, tenant } => {
                Who::Federated { client: client.clone(), tenant: tenant.clone() }
            }
            Identity::Secret { client, tenant, name } => {
                let proof = self.proof(access.namespace(), name).await.map_err(|wait| access.told(wait))?;
                Who::Client { client: client.clone(), tenant: tenant.clone(), proof }
            }
        };
        let cloud = &access.login.cloud;
        self.identities.client(cloud, &who).ok_or_else(|| {
            let known = self.identities.cloud_names().join(", ");
            let message = format!(
                "the controller's configuration knows no cloud {cloud}; it has {known}; the platform team names it in \
                 grants[].clouds, or describes it in clouds"
            );
            access.told(Wait::stalled(Reason::UNKNOWN_CLOUD, message))
        })
    }

    /// What a client signs in with, from a Secret.
    async fn proof(&self, namespace: &str, name: &str) -> Result<Proof, Wait> {
        if let Some(proof) = self.secrets.get(namespace, name) {
            return Ok(proof);
        }
        // A Secret may have 1 MiB: few are in memory at once, and a pass that has waited may find it read.
        let _few = self.secrets.reads.permit(namespace).await;
        if let Some(proof) = self.secrets.get(namespace, name) {
            return Ok(proof);
        }
        let found = self.holder.secret(namespace, name).await.map_err(|error| {
            Wait::new(Reason::SECRET_UNREADABLE, format!("failed to read Secret {name}: {error}")).unwatched()
        })?;
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let proof = proof::read(name, found, since_1970)?;
        self.secrets.keep(namespace, name, &proof);
        Ok(proof)
    }
}
