//! Files that an object takes from elsewhere, as a plan fetches them: in place, from a ConfigMap of the same files, or from a server.
//!
//! In: the sources of an object. Out: what each holds; or what is missing. No Secret is read: a source that needs one cannot be fetched.

use super::folder::Folder;
use anyhow::{Context as _, Result};
use azureml_access::{connect, credentials};
use azureml_config::Config;
use azureml_crds::source::Source;
use azureml_plan::hosts::{HostGrant, Reach, reach};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::{Resolve, Wait};
use azureml_plan::source::{Held, Purpose, Sources};
use azureml_source::{Entries, Error, Fetcher, Login, Named, Net, Place, Store, named};
use kube::Resource;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::time::Instant;

/// What fetches files, and where it keeps them until the program ends.
pub struct Fetching {
    fetcher: Fetcher,
    public: Net,
    anywhere: Net,
    hosts: Vec<HostGrant>,
    /// When the program began: each server is asked once.
    began: Instant,
    _kept: TempDir,
}

impl Fetching {
    /// Keeps files in a folder that goes with it.
    ///
    /// # Errors
    /// When there is no room for the folder, or a client cannot be made.
    pub fn new(config: &Config) -> Result<Self> {
        let kept = tempfile::tempdir().context("a folder for files that are fetched")?;
        let (reach, sources) = (config.reach()?, &config.sources);
        let net = |is_inside| {
            let client =
                connect::stranger(reach.times, &reach.everywhere, is_inside, credentials::proxies())?;
            anyhow::Ok(Net::new(Arc::new(client), is_inside, sources.max_bytes))
        };
        let store = Store::new(kept.path().to_owned(), sources.cache_bytes, sources.bounds());
        Ok(Self {
            fetcher: Fetcher::new(store),
            public: net(false)?,
            anywhere: net(true)?,
            hosts: sources.hosts.clone(),
            began: Instant::now(),
            _kept: kept,
        })
    }
}

/// Fetches the sources of an object.
///
/// # Errors
/// What is missing, with its field.
pub async fn fetch<K>(fetching: &Fetching, folder: &Folder, object: &K) -> Result<Sources, Wait>
where
    K: Resolve + Resource<DynamicType = ()>,
{
    let namespace = object.meta().namespace.clone().unwrap_or_default();
    let mut found = Sources::default();
    for (field, source) in object.sources() {
        let asked = Asked { fetching, folder, namespace: &namespace, purpose: object.purpose() };
        let held = asked
            .one(&source)
            .await
            .map_err(|message| Wait::stalled(Reason::SOURCE_FAILED, format!("{field}: {message}")))?;
        found.found(field, held);
    }
    Ok(found)
}

struct Asked<'a> {
    fetching: &'a Fetching,
    folder: &'a Folder,
    namespace: &'a str,
    purpose: Purpose,
}

impl Asked<'_> {
    async fn one(&self, source: &Source) -> Result<Held, String> {
        if let Some(files) = &source.files {
            let texts = self.folder.files(files.hash()).ok_or("its files are not among the manifests")?;
            let entries = texts.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes()));
            return self.entries(format!("files {}", files.hash()), entries.collect()).await;
        }
        if let Some(map) = &source.config_map {
            let entries = self.folder.map(self.namespace, &map.name).ok_or_else(|| {
                format!("there is no ConfigMap {} among the manifests; add it by another -f", map.name)
            })?;
            return self.entries(format!("configMap {}", map.name), entries.clone()).await;
        }
        if let Some(flux) = &source.flux {
            return Err(format!(
                "a plan reaches no artifact of Flux, which stays inside of the cluster; take the files of {} from git, oci or http to \
                 see what changes, or ask the operator",
                flux.name
            ));
        }
        self.server(source).await
    }

    async fn entries(&self, key: String, entries: Entries) -> Result<Held, String> {
        let whose = (self.namespace, key.clone(), key);
        let held = self.fetching.fetcher.entries(whose, &self.purpose, entries).await;
        held.map_err(|error: Error| error.to_string())
    }

    async fn server(&self, source: &Source) -> Result<Held, String> {
        let Named { wanted, secret } = named(source)?;
        if let Some(secret) = secret {
            return Err(format!(
                "a plan reads no Secret, so it cannot sign in with {}; see what changes with a source that needs none, or ask the operator",
                secret.name
            ));
        }
        let host = wanted.origin.host().map_err(|error| error.to_string())?;
        let net = match reach(&self.fetching.hosts, self.namespace, &host)? {
            Reach::Public => &self.fetching.public,
            Reach::Anywhere => &self.fetching.anywhere,
        };
        let place =
            Place { wanted, login: Login::Anonymous, net: net.clone(), purpose: self.purpose.clone() };
        let fetched = self.fetching.fetcher.fetch(self.namespace, &place, self.fetching.began).await;
        fetched.map(|fetched| fetched.held).map_err(|error| error.to_string())
    }
}
