//! The simulated Azure without a network: requests are handed to it as values, so that nothing waits for a socket while the
//! runtime's clock stands still. In: requests of the client and of its credentials. Out: answers, and lines of the journal.

use super::journal::Journal;
use axum::body::Bytes;
use axum::http::{Request, Response, Version};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient};
use azureml_client::send::Http;
use azureml_simulator::Simulator;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;

/// The way to the simulator.
#[derive(Clone)]
pub(super) struct Azure {
    pub simulator: Arc<Simulator>,
    pub journal: Journal,
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Azure")
    }
}

/// What a request is called in the journal: what follows the workspace, or the registry, without the query.
fn called(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let below = |word: &str| path.split_once(word)?.1.split_once('/').map(|(_, rest)| rest.to_owned());
    let name = below("/workspaces/").or_else(|| below("/registries/")).unwrap_or_else(|| path.to_owned());
    if path.contains("/workspaces/") && below("/workspaces/").is_none() {
        "workspace".to_owned()
    } else {
        name
    }
}

impl Azure {
    async fn exchange(&self, mut request: Request<Bytes>) -> Option<Response<Bytes>> {
        *request.version_mut() = Version::HTTP_2;
        let what = format!("{} {}", request.method(), called(request.uri().path()));
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        let place = self.journal.add(what, body);
        let answer = self.simulator.answer(request).await;
        self.journal.answered(place, answer.as_ref().map_or(0, |answer| answer.status().as_u16()));
        answer
    }
}

impl Http for Azure {
    fn carry(&self, request: reqwest::Request) -> BoxFuture<'_, reqwest::Result<reqwest::Response>> {
        Box::pin(async move {
            let request = Request::<reqwest::Body>::try_from(request)?;
            let whole = |body: reqwest::Body| body.as_bytes().map(Bytes::copy_from_slice).unwrap_or_default();
            let body: Response<reqwest::Body> = match self.exchange(request.map(whole)).await {
                Some(answer) => answer.map(Into::into),
                // An error of reqwest cannot be made here, but a body can break.
                None => Response::new(reqwest::Body::wrap_stream(futures::stream::iter([Err::<Bytes, _>(
                    io::Error::from(io::ErrorKind::ConnectionReset),
                )]))),
            };
            Ok(body.into())
        })
    }
}

#[async_trait::async_trait]
impl HttpClient for Azure {
    async fn execute_request(
        &self,
        request: &azure_core::http::Request,
    ) -> azure_core::Result<AsyncRawResponse> {
        let mut built = Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            built = built.header(name.as_str(), value.as_str());
        }
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.clone(),
            Body::SeekableStream(_) => Bytes::new(),
        };
        let cut = |error: axum::http::Error| azure_core::Error::new(azure_core::error::ErrorKind::Io, error);
        let answer = self.exchange(built.body(body).map_err(cut)?).await;
        let answer = answer.ok_or_else(|| {
            azure_core::Error::new(
                azure_core::error::ErrorKind::Io,
                io::Error::from(io::ErrorKind::ConnectionReset),
            )
        })?;
        let headers: HashMap<HeaderName, HeaderValue> = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned().into(), value.to_str().ok()?.to_owned().into()))
            })
            .collect();
        Ok(AsyncRawResponse::from_bytes(
            answer.status().as_u16().into(),
            Headers::from(headers),
            answer.into_body(),
        ))
    }
}
