//! Who acts in Azure: the controller's own identity, one federated with it, or a client secret of the user's namespace.
//!
//! In: an MLWorkspace, the grants, a Secret. Out: a client, or why there is none. How each signs in is in `credentials`.

use crate::config::{Config, Grant};
use crate::connect::{self, Shared};
use crate::credentials;
use crate::kept::Kept;
use anyhow::Result;
use azureml_client::ArmId;
use azureml_client::budget::{Bucket, Limits};
use azureml_client::client::{Client, Versions};
use azureml_client::cloud::Cloud;
use azureml_client::registry::Registries;
use azureml_crds::MLWorkspace;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The cloud of an MLWorkspace that names none.
pub const DEFAULT_CLOUD: &str = "AzurePublic";

/// How long a client is kept that nobody uses: with it go its tokens, and a secret that was replaced.
const UNUSED: Duration = Duration::from_hours(1);

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

/// A cloud, and the two ways out of this process.
struct Reached {
    cloud: Arc<Cloud>,
    /// To Azure.
    http: reqwest::Client,
    /// To the machine that this process runs on, which gives tokens of its managed identity.
    local: reqwest::Client,
}

/// The clouds and the clients that were made for them.
pub struct Identities {
    clouds: HashMap<String, Reached>,
    shared: Shared,
    versions: Arc<Versions>,
    limits: Limits,
    send_job_token: bool,
    clients: Mutex<Kept<(String, Who), Arc<Client>>>,
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
        let everywhere = config.authorities()?;
        for (cloud, own) in config.clouds()? {
            let trusted = [everywhere.as_slice(), own.as_slice()].concat();
            let http = connect::http(&config.azure, &trusted, &shared.gate)?;
            let local = connect::local(&config.azure, &trusted, &shared.gate)?;
            clouds.insert(cloud.name.clone(), Reached { cloud: Arc::new(cloud), http, local });
        }
        let inside = config.registries.allow_private_addresses;
        let proxies = credentials::proxies();
        let public = connect::public(&config.azure, &everywhere, &shared, inside, proxies)?;
        // A mirror is reached as the default cloud is: with its certificates, and wherever it is.
        let direct = clouds
            .get(DEFAULT_CLOUD)
            .map_or_else(|| public.clone(), |cloud| connect::transport(cloud.http.clone(), &shared));
        Ok(Self {
            clouds,
            registries: Registries::new(public, direct, config.mirrors()),
            shared,
            versions: Arc::new(config.azure.api_versions.clone().into()),
            limits: config.azure.budget.clone().into(),
            send_job_token: config.azure.send_job_token,
            clients: Mutex::new(Kept::new(UNUSED)),
        })
    }

    /// The client of an identity in a cloud; `None` when there is no such cloud.
    #[must_use]
    pub fn client(&self, cloud: &str, who: &Who) -> Option<Arc<Client>> {
        let Reached { cloud, http, local } = self.clouds.get(cloud)?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (cloud.name.clone(), who.clone());
        let make = || {
            let credential = credentials::credential(cloud, http, local, who);
            let credential = credential.observed(self.shared.observer.clone());
            let transport = connect::transport(http.clone(), &self.shared);
            let client =
                Client::new(cloud.clone(), transport, credential, self.versions.clone(), self.limits);
            Arc::new(client.sending_job_token(self.send_job_token))
        };
        Some(clients.get_or_insert_with(key, make).clone())
    }

    /// The share that is left of the scarcest budget of each class.
    #[must_use]
    pub fn left(&self) -> Vec<(Bucket, f64)> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left: Vec<(Bucket, f64)> = Vec::new();
        for (bucket, share) in clients.values().flat_map(|client| client.left()) {
            match left.iter_mut().find(|(of, _)| *of == bucket) {
                Some((_, least)) => *least = least.min(share),
                None => left.push((bucket, share)),
            }
        }
        left
    }

    /// The names of all clouds.
    #[must_use]
    pub fn cloud_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.clouds.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
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

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_was_replaced_is_forgotten_with_its_client() {
        let identities = Identities::new(&Config::default(), crate::fake::shared()).unwrap();
        let client = |secret: &str| {
            let who = Who::Secret { client: "c".into(), tenant: "t".into(), secret: secret.into() };
            Arc::downgrade(&identities.client(DEFAULT_CLOUD, &who).unwrap())
        };
        let (before, after) = (client("before"), client("after"));
        for _ in 0..61 {
            assert!(client("after").ptr_eq(&after));
            tokio::time::advance(Duration::from_mins(1)).await;
        }
        assert!(client("after").ptr_eq(&after) && before.upgrade().is_none());
    }
}
