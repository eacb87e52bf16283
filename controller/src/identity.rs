//! The identity that acts in Azure: the controller's own identity, one federated with it, or a client secret of the user's namespace.
//!
//! In: an MLWorkspace, the grants, a Secret. Out: a client, or why there is none. How each signs in is in `credentials`.

use crate::config::Config;
use crate::connect::{self, Shared};
use crate::credentials::{self, Who};
use anyhow::Result;
use azureml_client::budget::{Bucket, Limits};
use azureml_client::client::{Client, Versions};
use azureml_client::cloud::Cloud;
use azureml_client::kept::Kept;
use azureml_client::registry::Registries;
use azureml_client::rooms::Rooms;
use azureml_client::send::Http;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a client is kept that nobody uses: with it go its tokens, and a secret that was replaced.
const UNUSED: Duration = Duration::from_hours(1);

/// The most clients that are kept. A namespace makes one with each secret that it replaces.
const MOST_CLIENTS: usize = 1000;

/// A way to a cloud: its connections, and how much may be under way on them.
struct Way {
    http: Arc<dyn Http>,
    rooms: Arc<Rooms>,
}

/// A cloud, and the ways out of this process.
struct Reached {
    cloud: Arc<Cloud>,
    /// To Azure, with the operator's identities.
    own: Way,
    /// To Azure, with those that namespaces brought: what they have to wait for keeps nobody else waiting.
    brought: Way,
    /// To the machine that this process runs on, which gives tokens of its managed identity.
    local: Arc<dyn Http>,
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
            let way = || {
                let http = connect::http(&config.azure, &trusted, &shared)?;
                anyhow::Ok(Way { http, rooms: Arc::default() })
            };
            let local = connect::local(&config.azure, &trusted, &shared)?;
            let (own, brought, cloud) = (way()?, way()?, Arc::new(cloud));
            clouds.insert(cloud.name.clone(), Reached { cloud, own, brought, local });
        }
        let inside = config.registries.allow_private_addresses;
        let proxies = credentials::proxies();
        let public = connect::public(&config.azure, &everywhere, &shared, inside, proxies)?;
        // A mirror is reached as the default cloud is: with its certificates, and wherever it is.
        let direct = clouds
            .get(&config.default_cloud.0)
            .map_or_else(|| public.clone(), |cloud| connect::transport(cloud.own.http.clone(), &shared));
        Ok(Self {
            clouds,
            registries: Registries::new(public, direct, config.mirrors()),
            shared,
            versions: Arc::new(config.azure.api_versions.clone().into()),
            limits: config.azure.budget.clone().into(),
            send_job_token: config.azure.send_job_token,
            clients: Mutex::new(Kept::new(UNUSED).at_most(MOST_CLIENTS)),
        })
    }

    /// The client of an identity in a cloud; `None` when there is no such cloud.
    #[must_use]
    pub fn client(&self, cloud: &str, who: &Who) -> Option<Arc<Client>> {
        let Reached { cloud, own, brought, local } = self.clouds.get(cloud)?;
        let Way { http, rooms } = if matches!(who, Who::Secret { .. }) { brought } else { own };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (cloud.name.clone(), who.clone());
        let make = || {
            let credential = credentials::credential(cloud, http, local, who);
            let credential = credential.observed(self.shared.observer.clone());
            let transport = connect::transport(http.clone(), &self.shared).sharing(rooms.clone());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_was_replaced_is_forgotten_with_its_client() {
        let identities = Identities::new(&Config::default(), crate::fake::shared()).unwrap();
        let client = |secret: &str| {
            let who = Who::Secret { client: "c".into(), tenant: "t".into(), secret: secret.into() };
            Arc::downgrade(&identities.client("AzurePublic", &who).unwrap())
        };
        let (before, after) = (client("before"), client("after"));
        for _ in 0..61 {
            assert!(client("after").ptr_eq(&after));
            tokio::time::advance(Duration::from_mins(1)).await;
        }
        assert!(client("after").ptr_eq(&after) && before.upgrade().is_none());
    }
}
