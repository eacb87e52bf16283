//! HTTP clients: one for each cloud, one for registries that anybody may name.
//!
//! In: how long may be waited, the lease's gate. Out: transports. Decides what a connection may reach, not what is said on it.

use anyhow::{Context as _, Result};
use azureml_client::address::{PrivateAddress, is_public};
use azureml_client::send::{Gate, Http, Observer, Transport};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tower::util::AndThenLayer;

/// How long is waited for Azure.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// For a connection, and for a sign of life on one that is quiet.
    pub connect: Duration,
    /// For the answer to a request; after that it may have had its effect.
    pub request: Duration,
}

/// What every transport shares.
#[derive(Clone)]
pub struct Shared {
    /// Whether this process may still write.
    pub gate: Gate,
    /// Is told of every request.
    pub observer: Observer,
    /// Makes the clients.
    pub dial: Dial,
}

/// Makes an HTTP client of its settings: one of the network, or in a test one that needs none.
pub type Dial = Arc<dyn Fn(ClientBuilder) -> reqwest::Result<Arc<dyn Http>> + Send + Sync>;

impl Shared {
    /// What the transports of a process share that reaches Azure by the network.
    #[must_use]
    pub fn new(gate: Gate, observer: Observer) -> Self {
        let dial: Dial = Arc::new(|settings| Ok(Arc::new(settings.build()?)));
        Self { gate, observer, dial }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn builder(times: Times) -> ClientBuilder {
    ClientBuilder::new()
        .user_agent(concat!("azureml-operator/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .https_only(true)
        .connect_timeout(times.connect)
        // HTTP/2 puts everything on one connection. One that was forgotten on the way would never answer again.
        .http2_keep_alive_interval(times.connect)
        .http2_keep_alive_timeout(times.connect)
        .timeout(times.request)
}

/// The same, with authorities that are trusted beside the system's.
fn trusting(times: Times, authorities: &[Certificate]) -> ClientBuilder {
    let own = (!authorities.is_empty()).then(|| authorities.to_vec());
    own.into_iter().fold(builder(times), ClientBuilder::tls_certs_merge)
}

/// The HTTP client of a cloud. Connecting takes time, so the gate is asked again after it.
///
/// # Errors
/// When it cannot be made.
pub fn http(times: Times, authorities: &[Certificate], shared: &Shared) -> Result<Arc<dyn Http>> {
    let builder = trusting(times, authorities);
    // Answers that wait to be read, as large ones do, take what is sent of them already, and never the whole connection from others.
    let builder = builder
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(128 * STREAM_WINDOW);
    gated(builder, shared)
}

/// What is sent of an answer before it is read, in bytes.
const STREAM_WINDOW: u32 = 256 << 10;

/// The HTTP client for tokens of a managed identity. The machine itself answers, in plain HTTP at a link-local address
/// (or at one that the environment names), so no proxy is ever asked.
///
/// # Errors
/// When it cannot be made.
pub fn local(times: Times, authorities: &[Certificate], shared: &Shared) -> Result<Arc<dyn Http>> {
    gated(trusting(times, authorities).https_only(false).no_proxy(), shared)
}

fn gated(builder: ClientBuilder, shared: &Shared) -> Result<Arc<dyn Http>> {
    let gate = shared.gate.clone();
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
    (shared.dial)(builder.connector_layer(checked)).context("failed to make the HTTP client")
}

/// The transport of a cloud.
#[must_use]
pub fn transport(http: Arc<dyn Http>, shared: &Shared) -> Transport {
    Transport::new(http, shared.gate.clone(), shared.observer.clone())
}

/// The transport for registries that a manifest names: no address inside of the platform, unless configured. Behind a
/// proxy it is the proxy that resolves names, so what can be reached through it is the proxy's to decide.
///
/// # Errors
/// When the client cannot be made.
pub fn public(
    times: Times,
    authorities: &[Certificate],
    shared: &Shared,
    allow_private: bool,
    proxies: Vec<String>,
) -> Result<Transport> {
    let (builder, context) = (trusting(times, authorities), "failed to make the HTTP client for registries");
    if allow_private {
        return Ok(transport((shared.dial)(builder).context(context)?, shared).for_strangers());
    }
    let builder = builder.dns_resolver(Arc::new(PublicOnly { proxies }));
    Ok(transport((shared.dial)(builder).context(context)?, shared).only_public().for_strangers())
}

/// The client for files from hosts that a manifest names: at public addresses alone, unless it may go inside of the platform.
///
/// # Errors
/// When the client cannot be made.
pub fn stranger(
    times: Times,
    authorities: &[Certificate],
    is_inside: bool,
    proxies: Vec<String>,
) -> Result<reqwest::Client> {
    let builder = trusting(times, authorities);
    let builder = if is_inside { builder } else { builder.dns_resolver(Arc::new(PublicOnly { proxies })) };
    builder.build().context("failed to make the HTTP client for files")
}

/// The client for files that servers inside of the cluster give out, in plain HTTP and through no proxy.
///
/// # Errors
/// When it cannot be made.
pub fn inside(times: Times, authorities: &[Certificate]) -> Result<reqwest::Client> {
    let builder = trusting(times, authorities).https_only(false).no_proxy();
    builder.build().context("failed to make the HTTP client for files of the cluster")
}

/// Resolves names to public addresses only; the proxies may be anywhere.
struct PublicOnly {
    proxies: Vec<String>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxies.iter().any(|proxy| proxy.eq_ignore_ascii_case(name.as_str()));
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (reachable, other): (Vec<SocketAddr>, Vec<SocketAddr>) =
                found.partition(|address| is_proxy || is_public(address.ip()));
            if reachable.is_empty() && !other.is_empty() {
                return Err(BoxError::from(PrivateAddress(name.as_str().to_owned())));
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_proxy_may_be_inside_of_the_platform() {
        let resolver = PublicOnly { proxies: vec!["localhost".to_owned()] };
        let mut found = resolver.resolve("LocalHost".parse().unwrap()).await.unwrap();
        assert!(found.next().is_some_and(|address| address.ip().is_loopback()));
        let resolver = PublicOnly { proxies: vec!["proxy.example".to_owned()] };
        let refused = resolver.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(refused.downcast_ref::<PrivateAddress>().is_some(), "{refused}");
    }
}
