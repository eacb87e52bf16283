//! `/metrics`, `/healthz` and `/readyz`: read by the platform, they change nothing.

use crate::metrics::Metrics;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
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

/// Serves until it is told to stop.
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
    axum::serve(listener, app)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .context("the server failed")
}
