//! How an identity signs in: federated token, client secret or certificate, managed identity, or the developer's own login.
//!
//! In: a cloud, who, the environment. Out: credentials of Microsoft's library. The only file of
//! this crate that reads the environment: the variables that Azure's libraries read.

#![expect(clippy::disallowed_methods, reason = "what stands in the environment decides who signs in")]

use crate::certificate::Certificate;
use crate::proof::Proof;
use async_trait::async_trait;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{
    ClientMethodOptions, ClientOptions, ExponentialRetryOptions, RetryOptions, Transport as CoreTransport,
};
use azure_core::time::Duration;
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, DeveloperToolsCredential, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use azureml_client::auth::{Credential, Make};
use azureml_client::cloud::Cloud;
use azureml_client::send::Http;
use std::env::var;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;

/// Whose identity is used.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// The controller's own.
    Controller,
    /// That of a person at a terminal, or of a pipeline that runs for people: never the machine's own.
    Person,
    /// The controller's federated token, exchanged for this client.
    Federated {
        /// The client.
        client: String,
        /// Its tenant; the controller's own where none is given.
        tenant: Option<String>,
    },
    /// A client with a secret or a certificate.
    Client {
        /// The client.
        client: String,
        /// Its tenant.
        tenant: String,
        /// What it signs in with. Part of the key, so that a new one makes a new client.
        proof: Proof,
    },
}

/// The credential of an identity in a cloud: it asks Azure by `http`, and a managed identity's machine by `local`.
#[must_use]
pub fn credential(cloud: &Arc<Cloud>, http: &Arc<dyn Http>, local: &Arc<dyn Http>, who: &Who) -> Credential {
    Credential::new(make(cloud, http, local, who))
}

/// How to make the credential of an identity: it asks Azure by `http`, and a managed identity's machine by `local`.
fn make(cloud: &Arc<Cloud>, http: &Arc<dyn Http>, local: &Arc<dyn Http>, who: &Who) -> Make {
    let (cloud, http, local, who) = (cloud.clone(), http.clone(), local.clone(), who.clone());
    Arc::new(move || {
        let options = options(&cloud, &http);
        match &who {
            Who::Client { client, tenant, proof: Proof::Secret(secret) } => {
                by_secret(tenant, client, secret.clone(), options)
            }
            Who::Client { client, tenant, proof: Proof::Certificate(certificate) } => {
                let audience =
                    format!("{}/{tenant}/oauth2/v2.0/token", cloud.authority.trim_end_matches('/'));
                let (client, certificate) = (client.clone(), certificate.clone());
                by_certificate(tenant, Signing { client, audience, certificate }, options)
            }
            Who::Federated { client, tenant } => federated(Some(client.clone()), tenant.clone(), options),
            Who::Person => person(&options),
            Who::Controller => controller(&options, self::options(&cloud, &local)),
        }
    })
}

/// How long a token is tried for in one pass. The library's minute would pass before an object could say what is wrong;
/// passes are tried again anyway.
const AT_MOST: Duration = Duration::seconds(5);

fn options(cloud: &Cloud, http: &Arc<dyn Http>) -> ClientOptions {
    let mut custom = CustomConfiguration::default();
    custom.authority_host.clone_from(&cloud.authority);
    ClientOptions {
        transport: Some(CoreTransport::new(http.clone())),
        cloud: Some(Arc::new(custom.into())),
        retry: RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: 2,
            max_total_elapsed: AT_MOST,
            ..ExponentialRetryOptions::default()
        }),
        ..ClientOptions::default()
    }
}

fn by_secret(
    tenant: &str,
    client: &str,
    secret: String,
    client_options: ClientOptions,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let options = ClientSecretCredentialOptions { client_options };
    Ok(ClientSecretCredential::new(tenant, client.to_owned(), Secret::from(secret), Some(options))?)
}

/// What signs for a client with its certificate.
#[derive(Debug)]
struct Signing {
    client: String,
    /// The address that gives tokens.
    audience: String,
    certificate: Certificate,
}

#[async_trait]
impl ClientAssertion for Signing {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.certificate.assertion(&self.client, &self.audience, now)
    }
}

/// The library's own credential of a certificate needs OpenSSL (docs/adr/0011).
fn by_certificate(
    tenant: &str,
    signing: Signing,
    client_options: ClientOptions,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let options = ClientAssertionCredentialOptions { client_options };
    let client = signing.client.clone();
    Ok(ClientAssertionCredential::new(tenant.to_owned(), client, signing, Some(options))?)
}

fn federated(
    client_id: Option<String>,
    tenant_id: Option<String>,
    client_options: ClientOptions,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let credential_options = ClientAssertionCredentialOptions { client_options };
    let options =
        WorkloadIdentityCredentialOptions { credential_options, client_id, tenant_id, ..Default::default() };
    Ok(WorkloadIdentityCredential::new(Some(options))?)
}

/// The controller's own identity, by what the environment offers: workload identity, a client secret, managed identity,
/// else the developer's own login (`az login`).
fn controller(options: &ClientOptions, local: ClientOptions) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let is_on_azure = var("IDENTITY_ENDPOINT").is_ok() || var("KUBERNETES_SERVICE_HOST").is_ok();
    if is_on_azure && named(options).is_none() {
        let user_assigned_id = var("AZURE_CLIENT_ID").ok().map(UserAssignedId::ClientId);
        let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options: local };
        return Ok(ManagedIdentityCredential::new(Some(options))?);
    }
    person(options)
}

/// The identity that the environment names, else the developer's own login (`az login`).
fn person(options: &ClientOptions) -> azure_core::Result<Arc<dyn TokenCredential>> {
    match named(options) {
        Some(named) => named,
        None => Ok(DeveloperToolsCredential::new(None)?),
    }
}

/// The identity that the environment names: workload identity, or a client with its secret.
fn named(options: &ClientOptions) -> Option<azure_core::Result<Arc<dyn TokenCredential>>> {
    if var("AZURE_FEDERATED_TOKEN_FILE").is_ok() {
        return Some(federated(None, None, options.clone()));
    }
    let (tenant, client) = (var("AZURE_TENANT_ID").ok()?, var("AZURE_CLIENT_ID").ok()?);
    Some(by_secret(&tenant, &client, var("AZURE_CLIENT_SECRET").ok()?, options.clone()))
}

/// The hosts of the proxies that the environment names, by the variables that the HTTP client reads by itself.
#[must_use]
pub fn proxies() -> Vec<String> {
    let named = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(var);
    named.into_iter().flatten().filter_map(|address| host(&address)).collect()
}

/// The host of an address that may come without a scheme.
fn host(address: &str) -> Option<String> {
    let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    Url::parse(&address).ok()?.host_str().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_written_with_a_scheme_or_without() {
        for (address, expected) in [
            ("http://Proxy.example:3128", Some("proxy.example")),
            ("proxy.example:3128", Some("proxy.example")),
            ("https://user:word@proxy.example", Some("proxy.example")),
            ("10.0.0.7:3128", Some("10.0.0.7")),
            ("", None),
        ] {
            assert_eq!(host(address).as_deref(), expected, "{address}");
        }
    }
}
