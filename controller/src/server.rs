//! `/metrics`, `/healthz` and `/readyz`: read by the platform, they change nothing.

use crate::metrics::Metrics;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What the process still waits for before it is ready.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<Mutex<String>>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(Mutex::new("starting".to_owned())))
    }
}

impl Readiness {
    /// Says what is waited for; empty means ready.
    pub fn waits_for(&self, what: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what.into();
    }

    fn missing(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How long clients are waited for at the end. Longer than an answer takes; one who stays may not keep the process alive.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Serves until it is told to stop, and a little longer to who is being answered.
///
/// # Errors
/// When the address cannot be used.
pub async fn serve(
    address: SocketAddr,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    stop: CancellationToken,
) -> Result<()> {
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("failed to listen on {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "serving metrics and health");
    serve_on(listener, metrics, readiness, stop).await
}

async fn serve_on(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    stop: CancellationToken,
) -> Result<()> {
    let ready = move || async move {
        match readiness.missing() {
            missing if missing.is_empty() => (StatusCode::OK, "ok".to_owned()),
            missing => (StatusCode::SERVICE_UNAVAILABLE, missing),
        }
    };
    let scrape = move |headers: HeaderMap| async move {
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let (content_type, text) = if accept.contains("application/openmetrics-text") {
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", metrics.open_metrics())
        } else {
            ("text/plain; version=0.0.4; charset=utf-8", metrics.text())
        };
        match text {
            Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, content_type)], text),
            Err(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, content_type)], error.to_string())
            }
        }
    };
    let app = Router::new()
        .route("/metrics", get(scrape))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready));
    let served = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        ended = served => ended.context("the server failed"),
        () = late => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_client_that_stays_does_not_keep_the_server_from_ending() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut stays = TcpStream::connect(listener.local_addr()?).await?;
        stays.write_all(b"GET /metrics HTT").await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let stop = CancellationToken::new();
        let served = serve_on(listener, Arc::default(), Readiness::default(), stop.clone());
        let answered = async {
            client.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").await?;
            let mut answer = [0; 256];
            let length = client.read(&mut answer).await?;
            // Who came before is known to the server by now.
            stop.cancel();
            Ok::<_, anyhow::Error>(answer[..length].starts_with(b"HTTP/1.1 200"))
        };
        let both = async { tokio::join!(served, answered) };
        let (served, is_answered) =
            timeout(LAST_ANSWERS * 3, both).await.context("it waits for its client")?;
        assert!(is_answered?);
        served
    }
}
