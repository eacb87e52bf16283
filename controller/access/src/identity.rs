//! The identity that acts in Azure: the controller's own identity, one federated with it, or a client of the user's namespace.
//!
//! In: clouds, and who signs in. Out: a client, or nothing where the cloud is unknown. How each signs in is in `credentials`.

use crate::connect::{self, Shared, Times};
use crate::credentials::{self, Who};
use anyhow::Result;
use azureml_client::budget::{Bucket, Limits};
use azureml_client::client::{Client, Versions};
use azureml_client::cloud::Cloud;
use azureml_client::kept::Kept;
use azureml_client::registry::{Mirror, Registries};
use azureml_client::rooms::Rooms;
use azureml_client::send::Http;
use reqwest::Certificate;
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

/// What is to be reached, and how.
pub struct Reach {
    /// The clouds in use, each with the authorities that are trusted there alone.
    pub clouds: Vec<(Cloud, Vec<Certificate>)>,
    /// The name of the cloud whose connections mirrors of registries use.
    pub default_cloud: String,
    /// The authorities that are trusted everywhere beside the system's.
    pub everywhere: Vec<Certificate>,
    /// The mirrors of registries.
    pub mirrors: Vec<Mirror>,
    /// Whether a registry that a manifest names may have an address inside of the platform.
    pub allow_private_addresses: bool,
    /// How long is waited.
    pub times: Times,
    /// The api-versions.
    pub versions: Versions,
    /// The budget of requests of one identity in one subscription.
    pub limits: Limits,
    /// Whether a pipeline job is sent with the caller's token for Azure Machine Learning.
    pub send_job_token: bool,
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
    /// Makes the ways to the clouds.
    ///
    /// # Errors
    /// When an HTTP client cannot be made.
    pub fn new(reach: Reach, shared: Shared) -> Result<Self> {
        let mut clouds = HashMap::new();
        let Reach { everywhere, times, .. } = reach;
        for (cloud, own) in reach.clouds {
            let trusted = [everywhere.as_slice(), own.as_slice()].concat();
            let way = || {
                let http = connect::http(times, &trusted, &shared)?;
                anyhow::Ok(Way { http, rooms: Arc::default() })
            };
            let local = connect::local(times, &trusted, &shared)?;
            let (own, brought, cloud) = (way()?, way()?, Arc::new(cloud));
            clouds.insert(cloud.name.clone(), Reached { cloud, own, brought, local });
        }
        let (inside, proxies) = (reach.allow_private_addresses, credentials::proxies());
        let public = connect::public(times, &everywhere, &shared, inside, proxies)?;
        // A mirror is reached as the default cloud is: with its certificates, and wherever it is.
        let direct = clouds
            .get(&reach.default_cloud)
            .map_or_else(|| public.clone(), |cloud| connect::transport(cloud.own.http.clone(), &shared));
        Ok(Self {
            clouds,
            registries: Registries::new(public, direct, reach.mirrors),
            shared,
            versions: Arc::new(reach.versions),
            limits: reach.limits,
            send_job_token: reach.send_job_token,
            clients: Mutex::new(Kept::new(UNUSED).at_most(MOST_CLIENTS)),
        })
    }

    /// The client of an identity in a cloud; `None` when there is no such cloud.
    #[must_use]
    pub fn client(&self, cloud: &str, who: &Who) -> Option<Arc<Client>> {
        let Reached { cloud, own, brought, local } = self.clouds.get(cloud)?;
        let Way { http, rooms } = if matches!(who, Who::Client { .. }) { brought } else { own };
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
    use crate::clouds::built_in_clouds;
    use crate::proof::Proof;

    fn reach() -> Reach {
        Reach {
            clouds: built_in_clouds().unwrap().into_iter().map(|cloud| (cloud, Vec::new())).collect(),
            default_cloud: "AzurePublic".to_owned(),
            everywhere: Vec::new(),
            mirrors: Vec::new(),
            allow_private_addresses: false,
            times: Times { connect: Duration::from_secs(1), request: Duration::from_secs(1) },
            versions: Versions::default(),
            limits: Limits::default(),
            send_job_token: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_was_replaced_is_forgotten_with_its_client() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let identities = Identities::new(reach(), Shared::new(Arc::new(|| true), Arc::new(|_| {}))).unwrap();
        let client = |secret: &str| {
            let proof = Proof::Secret(secret.into());
            let who = Who::Client { client: "c".into(), tenant: "t".into(), proof };
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
