//! `/metrics`, `/healthz` and `/readyz`: read by the platform, they change nothing.
//!
//! Anybody who reaches the port may connect, so connections are few, short, and small in memory.

use crate::metrics::Metrics;
use crate::telemetry::texts::SERVING;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
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

/// How long clients are waited for at the end. Longer than an answer takes; a client that stays may not keep the process alive.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Serves until it is told to stop, and a little longer for clients that are being answered.
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
    tracing::info!(address = %listener.local_addr()?, "{SERVING}");
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
    let rendered = Arc::new(Rendered::default());
    let scrape = move |headers: HeaderMap| async move {
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let is_open = accept.contains("application/openmetrics-text");
        let content_type = if is_open {
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        } else {
            "text/plain; version=0.0.4; charset=utf-8"
        };
        match rendered.of(&metrics, is_open) {
            Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, content_type)], text),
            Err(error) => {
                let text = Bytes::from(error.to_string());
                (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, content_type)], text)
            }
        }
    };
    let app = Router::new()
        .route("/metrics", get(scrape))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready));
    accept(listener, app, stop).await;
    Ok(())
}

/// Takes connections until told to stop.
async fn accept(listener: TcpListener, app: Router, stop: CancellationToken) {
    let mut connections = Connections::default();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => connections.serve(stream, app.clone()),
            Err(error) => {
                tracing::warn!("failed to take a connection: {error}");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
    connections.end().await;
}

/// How long one text of the metrics serves all requests: to make it, the process looks at every object.
const RENDERED: Duration = Duration::from_millis(250);

/// The text of the metrics in both formats, made at most once in a while and shared by all connections.
#[derive(Default)]
struct Rendered([Mutex<Option<(Instant, Bytes)>>; 2]);

impl Rendered {
    fn of(&self, metrics: &Metrics, is_open: bool) -> Result<Bytes, std::fmt::Error> {
        let mut kept = self.0[usize::from(is_open)].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = kept.as_ref().filter(|(at, _)| at.elapsed() < RENDERED) {
            return Ok(text.clone());
        }
        let text = Bytes::from(if is_open { metrics.open_metrics() } else { metrics.text() }?);
        *kept = Some((Instant::now(), text.clone()));
        Ok(text)
    }
}

/// The most connections at once. A further connection closes the oldest one: a probe is answered in milliseconds, so an old
/// connection is an idle one.
const MOST_CONNECTIONS: usize = 128;
/// How long a client may take to ask, and to take its answer.
const LONGEST_CONNECTION: Duration = Duration::from_secs(10);
/// What is read of a request before it is refused, in bytes.
const LONGEST_REQUEST: usize = 16 << 10;
/// The wait after a connection that could not be taken, as when there are no more file descriptors.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// The connections that are served, the oldest first.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    places: VecDeque<AbortHandle>,
}

impl Connections {
    /// Serves one request of a connection.
    fn serve(&mut self, stream: TcpStream, app: Router) {
        while self.tasks.try_join_next().is_some() {}
        self.places.retain(|place| !place.is_finished());
        if self.places.len() >= MOST_CONNECTIONS
            && let Some(oldest) = self.places.pop_front()
        {
            oldest.abort();
        }
        let connection = Builder::new()
            .keep_alive(false)
            .max_buf_size(LONGEST_REQUEST)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
        self.places.push_back(self.tasks.spawn(async move {
            if let Ok(Err(error)) = timeout(LONGEST_CONNECTION, connection).await {
                tracing::debug!("a client of the metrics broke off: {error}");
            }
        }));
    }

    /// Waits for the clients that are being answered.
    async fn end(&mut self) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(LAST_ANSWERS, all).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

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
            // The server knows the earlier client by now.
            stop.cancel();
            Ok::<_, anyhow::Error>(answer[..length].starts_with(b"HTTP/1.1 200"))
        };
        let both = async { tokio::join!(served, answered) };
        let (served, is_answered) =
            timeout(LAST_ANSWERS * 3, both).await.context("it waits for its client")?;
        assert!(is_answered?);
        served
    }

    #[tokio::test]
    async fn who_only_connects_keeps_nobody_from_being_answered() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, stop) = (listener.local_addr()?, CancellationToken::new());
        let served = tokio::spawn(serve_on(listener, Arc::default(), Readiness::default(), stop.clone()));
        let mut idle = Vec::new();
        for _ in 0..MOST_CONNECTIONS * 4 {
            idle.push(TcpStream::connect(address).await?);
        }
        let mut client = TcpStream::connect(address).await?;
        client.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").await?;
        let mut answer = String::new();
        timeout(LAST_ANSWERS, client.read_to_string(&mut answer)).await??;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let mut first = idle.swap_remove(0);
        let closed = timeout(LAST_ANSWERS, first.read(&mut [0; 1])).await?;
        assert!(closed.is_err() || closed.is_ok_and(|length| length == 0), "the oldest keeps its place");
        let mut long = TcpStream::connect(address).await?;
        let header = format!("GET /healthz HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(LONGEST_REQUEST * 2));
        let _ = long.write_all(header.as_bytes()).await;
        let mut answer = String::new();
        let _ = timeout(LAST_ANSWERS, long.read_to_string(&mut answer)).await?;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        stop.cancel();
        served.await?
    }
}
