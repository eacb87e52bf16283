//! HTTP clients: one for each cloud, one for registries that anybody may name.
//!
//! In: configuration, the lease's gate. Out: transports. Decides what a connection may reach, not what is said on it.

use crate::config::{Azure, std_duration};
use anyhow::{Context as _, Result};
use azureml_client::address::{PrivateAddress, is_public};
use azureml_client::send::{Gate, Observer, Transport};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder};
use std::net::SocketAddr;
use std::sync::Arc;
use tower::util::AndThenLayer;

/// What every transport shares.
#[derive(Clone)]
pub struct Shared {
    /// Whether this process may still write.
    pub gate: Gate,
    /// Is told of every request.
    pub observer: Observer,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn builder(config: &Azure) -> ClientBuilder {
    ClientBuilder::new()
        .user_agent(concat!("azureml-operator/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .https_only(true)
        .connect_timeout(std_duration(config.connect_timeout))
        .timeout(std_duration(config.request_timeout))
}

/// The HTTP client of a cloud, with its own authorities. Connecting takes time, so the gate is asked again after it.
///
/// # Errors
/// When a certificate cannot be read.
pub fn http(config: &Azure, ca: Option<&[u8]>, gate: &Gate) -> Result<reqwest::Client> {
    let gate = gate.clone();
    let checked = AndThenLayer::new(move |connection| {
        let may_write = gate();
        async move {
            if may_write {
                Ok(connection)
            } else {
                Err(BoxError::from("this process no longer holds the lease"))
            }
        }
    });
    let mut builder = builder(config).connector_layer(checked);
    if let Some(pem) = ca {
        builder = builder
            .tls_certs_merge(Certificate::from_pem_bundle(pem).context("failed to read the certificates")?);
    }
    builder.build().context("failed to make the HTTP client")
}

/// The transport of a cloud.
#[must_use]
pub fn transport(http: reqwest::Client, shared: &Shared) -> Transport {
    Transport::new(http, shared.gate.clone(), shared.observer.clone())
}

/// The transport for registries that a manifest names: no address inside of the platform, unless configured.
///
/// # Errors
/// When the client cannot be made.
pub fn public(config: &Azure, shared: &Shared, allow_private: bool) -> Result<Transport> {
    let context = "failed to make the HTTP client for registries";
    if allow_private {
        return Ok(transport(builder(config).build().context(context)?, shared).for_strangers());
    }
    let builder = builder(config).dns_resolver(Arc::new(PublicOnly));
    Ok(transport(builder.build().context(context)?, shared).only_public().for_strangers())
}

/// Resolves names to public addresses only.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (public, other): (Vec<SocketAddr>, Vec<SocketAddr>) =
                found.partition(|address| is_public(address.ip()));
            if public.is_empty() && !other.is_empty() {
                return Err(BoxError::from(PrivateAddress(name.as_str().to_owned())));
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}
