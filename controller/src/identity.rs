//! Who acts in Azure: the controller's own identity, one federated with it, or a client secret of the user's namespace.
//!
//! In: an MLWorkspace, the grants, a Secret. Out: a client, or why there is none. With `args` the only reader of the environment.

use crate::config::{Config, Grant};
use crate::connect::{self, Shared};
use anyhow::Result;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientOptions, Transport as CoreTransport};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use azureml_client::ArmId;
use azureml_client::auth::{Credential, Make};
use azureml_client::budget::Limits;
use azureml_client::client::{Client, Versions};
use azureml_client::cloud::Cloud;
use azureml_client::registry::Registries;
use azureml_crds::MLWorkspace;
use std::collections::HashMap;
use std::env::var;
use std::sync::{Arc, Mutex, PoisonError};

/// The cloud of an MLWorkspace that names none.
pub const DEFAULT_CLOUD: &str = "AzurePublic";

/// Whose identity is used.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// The controller's own.
    Controller,
    /// The controller's federated token, exchanged for this client.
    Federated {
        /// The client.
        client: String,
        /// Its tenant; the controller's own where none is given.
        tenant: Option<String>,
    },
    /// A client with its secret.
    Secret {
        /// The client.
        client: String,
        /// Its tenant.
        tenant: String,
        /// The secret. Part of the key, so that a new one makes a new client.
        secret: String,
    },
}

/// The clouds and the clients that were made for them.
pub struct Identities {
    clouds: HashMap<String, (Arc<Cloud>, reqwest::Client)>,
    shared: Shared,
    versions: Arc<Versions>,
    limits: Limits,
    send_job_token: bool,
    clients: Mutex<HashMap<(String, Who), Arc<Client>>>,
    /// The data plane of registries.
    pub registries: Registries,
}

impl Identities {
    /// Reads the configured clouds.
    ///
    /// # Errors
    /// When certificates cannot be read.
    pub fn new(config: &Config, shared: Shared) -> Result<Self> {
        let mut clouds = HashMap::new();
        for (cloud, ca) in config.clouds()? {
            let http = connect::http(&config.azure, ca.as_deref(), &shared.gate)?;
            clouds.insert(cloud.name.clone(), (Arc::new(cloud), http));
        }
        let public = connect::public(&config.azure, &shared, config.registries.allow_private_addresses)?;
        // A mirror is reached as the default cloud is: with its certificates, and wherever it is.
        let direct = clouds
            .get(DEFAULT_CLOUD)
            .map_or_else(|| public.clone(), |(_, http)| connect::transport(http.clone(), &shared));
        Ok(Self {
            clouds,
            registries: Registries::new(public, direct, config.mirrors()),
            shared,
            versions: Arc::new(config.azure.api_versions.clone().into()),
            limits: config.azure.budget.clone().into(),
            send_job_token: config.azure.send_job_token,
            clients: Mutex::default(),
        })
    }

    /// The client of an identity in a cloud; `None` when there is no such cloud.
    #[must_use]
    pub fn client(&self, cloud: &str, who: &Who) -> Option<Arc<Client>> {
        let (cloud, http) = self.clouds.get(cloud)?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (cloud.name.clone(), who.clone());
        let make = || {
            let credential = credential(cloud, http, who);
            let transport = connect::transport(http.clone(), &self.shared);
            let client =
                Client::new(cloud.clone(), transport, credential, self.versions.clone(), self.limits);
            Arc::new(client.sending_job_token(self.send_job_token))
        };
        Some(clients.entry(key).or_insert_with(make).clone())
    }

    /// The names of all clouds.
    #[must_use]
    pub fn cloud_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.clouds.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

/// The credential of an identity in a cloud, reached by this HTTP client.
#[must_use]
pub fn credential(cloud: &Arc<Cloud>, http: &reqwest::Client, who: &Who) -> Credential {
    Credential::new(make(cloud, http, who))
}

/// How to make the credential of an identity.
fn make(cloud: &Arc<Cloud>, http: &reqwest::Client, who: &Who) -> Make {
    let (cloud, http, who) = (cloud.clone(), http.clone(), who.clone());
    Arc::new(move || {
        let options = options(&cloud, &http);
        match &who {
            Who::Secret { client, tenant, secret } => by_secret(tenant, client, secret.clone(), options),
            Who::Federated { client, tenant } => federated(Some(client.clone()), tenant.clone(), options),
            Who::Controller => controller(options),
        }
    })
}

fn options(cloud: &Cloud, http: &reqwest::Client) -> ClientOptions {
    let mut custom = CustomConfiguration::default();
    custom.authority_host.clone_from(&cloud.authority);
    ClientOptions {
        transport: Some(CoreTransport::new(Arc::new(http.clone()))),
        cloud: Some(Arc::new(custom.into())),
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
fn controller(options: ClientOptions) -> azure_core::Result<Arc<dyn TokenCredential>> {
    if var("AZURE_FEDERATED_TOKEN_FILE").is_ok() {
        return federated(None, None, options);
    }
    if let (Ok(tenant), Ok(client), Ok(secret)) =
        (var("AZURE_TENANT_ID"), var("AZURE_CLIENT_ID"), var("AZURE_CLIENT_SECRET"))
    {
        return by_secret(&tenant, &client, secret, options);
    }
    if var("IDENTITY_ENDPOINT").is_ok() || var("KUBERNETES_SERVICE_HOST").is_ok() {
        let user_assigned_id = var("AZURE_CLIENT_ID").ok().map(UserAssignedId::ClientId);
        let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options: options };
        return Ok(ManagedIdentityCredential::new(Some(options))?);
    }
    Ok(DeveloperToolsCredential::new(None)?)
}

/// Whether a namespace may use an identity of the controller for a workspace and its registry.
#[must_use]
pub fn is_granted(
    grants: &[Grant],
    namespace: &str,
    client: Option<&str>,
    workspace: &ArmId,
    registry: Option<&ArmId>,
) -> bool {
    let segment = |key| workspace.segment(key).unwrap_or_default();
    grants.iter().any(|grant| {
        let by_client = match client {
            None => grant.clients.is_empty(),
            Some(client) => any_matches(&grant.clients, client),
        };
        by_client
            && any_matches(&grant.namespaces, namespace)
            && any_matches(&grant.subscriptions, segment("subscriptions"))
            && any_matches(&grant.resource_groups, segment("resourceGroups"))
            && any_matches(&grant.workspaces, segment("workspaces"))
            && registry.is_none_or(|registry| any_matches(&grant.registries, registry.name()))
    })
}

/// What the platform team has to add.
#[must_use]
pub fn missing_grant(namespace: &str, client: Option<&str>, workspace: &MLWorkspace) -> String {
    let clients = client.map(|client| format!(", clients: [{client}]")).unwrap_or_default();
    format!(
        "the controller's identity is not granted to this namespace for this workspace; the platform team adds to the controller's \
         configuration: grants: [{{namespaces: [{namespace}], subscriptions: [{}], resourceGroups: [{}], workspaces: [{}]{clients}}}]",
        workspace.spec.subscription_id, workspace.spec.resource_group, workspace.spec.workspace_name
    )
}

fn any_matches(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase()))
}

/// `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        let cases = [
            ("*", "anything", true),
            ("team-*", "team-a", true),
            ("team-*", "my-team-a", false),
            ("*-prod", "ml-prod", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let id = ArmId::workspace("s", "g", "w");
        assert!(!is_granted(&[], "n", None, &id, None));
    }

    #[test]
    fn a_grant_is_for_what_it_names() {
        let grant: Grant =
            serde_saphyr::from_str("{namespaces: [team-*], resourceGroups: [rg-ml], registries: [shared]}")
                .unwrap();
        let id = |group| ArmId::workspace("s", group, "w");
        let registry = |name: &str| {
            ArmId::parse(&format!(
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/{name}"
            ))
            .unwrap()
        };
        let grants = [grant];
        assert!(is_granted(&grants, "team-a", None, &id("RG-ml"), Some(&registry("shared"))));
        assert!(!is_granted(&grants, "team-a", None, &id("other"), None));
        assert!(!is_granted(&grants, "other", None, &id("rg-ml"), None));
        assert!(!is_granted(&grants, "team-a", None, &id("rg-ml"), Some(&registry("private"))));
        assert!(!is_granted(&grants, "team-a", Some("client"), &id("rg-ml"), None));
    }
}
