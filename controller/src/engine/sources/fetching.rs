//! What fetches files for all passes: a store, what was found before, and the ways to servers.
//!
//! In: the configuration. Out: clients and a store. It asks nobody by itself.

use anyhow::Result;
use azureml_access::{connect, credentials};
use azureml_client::places::Places;
use azureml_config::Config;
use azureml_source::{Fetcher, Net, Store};
use std::sync::Arc;

/// What fetches files, and by which clients.
pub struct Fetching {
    /// Files and what is known of them.
    pub fetcher: Fetcher,
    /// Asks hosts at public addresses.
    pub public: Net,
    /// Asks hosts that the configuration names, wherever they are.
    pub anywhere: Net,
    /// Asks servers of the cluster, for artifacts of Flux.
    pub inside: Net,
    /// Which hosts namespaces may fetch from.
    pub config: azureml_config::Sources,
    /// Sources that are asked at once.
    pub places: Places,
}

impl Fetching {
    /// Keeps files where the configuration says.
    ///
    /// # Errors
    /// When a client cannot be made: its certificates cannot be read.
    pub fn new(config: &Config) -> Result<Self> {
        let (reach, sources) = (config.reach()?, &config.sources);
        let net = |is_inside| {
            let proxies = credentials::proxies();
            let client = connect::stranger(reach.times, &reach.everywhere, is_inside, proxies)?;
            // What comes is compressed; what it unpacks to is bound by itself.
            anyhow::Ok(Net::new(Arc::new(client), is_inside, sources.max_bytes))
        };
        let store = Store::new(sources.folder.clone(), sources.cache_bytes, sources.bounds());
        Ok(Self {
            fetcher: Fetcher::new(store),
            public: net(false)?,
            anywhere: net(true)?,
            inside: Net::inside(
                Arc::new(connect::inside(reach.times, &reach.everywhere)?),
                sources.max_bytes,
            ),
            config: sources.clone(),
            places: Places::new(2, 8),
        })
    }
}
