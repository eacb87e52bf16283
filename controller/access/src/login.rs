//! Signing in for a workspace: the client of an identity, with its secret where it has one.
//!
//! In: a login, whatever holds Secrets. Out: a client, or what is missing. A Secret is read by its name when it is needed.

use crate::credentials::Who;
use crate::identity::Identities;
use crate::secrets::Secrets;
use azureml_client::client::Client;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::{Access, Identity, Wait};
use std::collections::BTreeMap;
use std::sync::Arc;

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
                let secret = self.secret(access.namespace(), name).await?;
                Who::Secret { client: client.clone(), tenant: tenant.clone(), secret }
            }
        };
        let cloud = &access.login.cloud;
        self.identities.client(cloud, &who).ok_or_else(|| {
            let known = self.identities.cloud_names().join(", ");
            let message = format!(
                "the controller's configuration knows no cloud {cloud}; it has {known}; the platform team names it in \
                 grants[].clouds, or describes it in clouds"
            );
            Wait::stalled(Reason::UNKNOWN_CLOUD, message)
        })
    }

    /// The client's secret in a Secret.
    async fn secret(&self, namespace: &str, name: &str) -> Result<String, Wait> {
        if let Some(secret) = self.secrets.get(namespace, name) {
            return Ok(secret);
        }
        // A Secret may have 1 MiB: few are in memory at once, and a pass that has waited may find it read.
        let _few = self.secrets.reads.permit(namespace).await;
        if let Some(secret) = self.secrets.get(namespace, name) {
            return Ok(secret);
        }
        let found = self.holder.secret(namespace, name).await.map_err(|error| {
            Wait::new(Reason::SECRET_UNREADABLE, format!("failed to read Secret {name}: {error}")).unwatched()
        })?;
        let secret = value(name, found)?;
        self.secrets.keep(namespace, name, &secret);
        Ok(secret)
    }
}

/// The key of the client's secret.
const SECRET_KEY: &str = "clientSecret";
/// The longest secret. Those of Entra ID have 40 characters.
const LONGEST_SECRET: usize = 1024;

/// The client's secret in what a Secret holds.
fn value(name: &str, found: Option<BTreeMap<String, Vec<u8>>>) -> Result<String, Wait> {
    let mut secret = found.ok_or_else(|| {
        let message =
            format!("there is no Secret {name} in this namespace; create it with the key {SECRET_KEY}");
        Wait::new(Reason::SECRET_NOT_FOUND, message).unwatched()
    })?;
    let value = secret.remove(SECRET_KEY);
    let value = value.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.trim().is_empty());
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
    Ok(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_secret_lacks_is_said_with_what_to_do() {
        let holding = |key: &str, bytes: &[u8]| Some(BTreeMap::from([(key.to_owned(), bytes.to_vec())]));
        let long = "x".repeat(LONGEST_SECRET + 1);
        for (found, reason, part) in [
            (None, Reason::SECRET_NOT_FOUND, "create it with the key clientSecret"),
            (Some(BTreeMap::new()), Reason::SECRET_INCOMPLETE, "has no key clientSecret; add it"),
            (holding("clientsecret", b"x"), Reason::SECRET_INCOMPLETE, "has no key clientSecret; add it"),
            (holding(SECRET_KEY, b" \n"), Reason::SECRET_INCOMPLETE, "has no key clientSecret; add it"),
            (holding(SECRET_KEY, &[0xff]), Reason::SECRET_INCOMPLETE, "has no key clientSecret; add it"),
            (holding(SECRET_KEY, long.as_bytes()), Reason::SECRET_INCOMPLETE, "longer than 1024 bytes"),
        ] {
            let wait = value("azure", found).unwrap_err();
            assert!(wait.reason == reason && wait.message.contains(part), "{}", wait.message);
        }
        assert_eq!(
            value("azure", holding(SECRET_KEY, b"word\n")).unwrap(),
            "word",
            "a file ends with a line break"
        );
    }
}
