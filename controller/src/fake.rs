//! A Kubernetes API for unit tests, in the same process and without a network, so that time can be made to fly.
//!
//! In: what it answers. Out: a client. Knows nothing of Kubernetes.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use azureml_access::connect::Shared;
use kube::Client;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;

/// A request as it came.
pub struct Asked {
    /// How.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The body; null when there is none.
    pub body: Value,
}

/// A client whose requests are answered by a function.
pub fn client<Answered>(respond: impl Fn(Asked) -> Answered + Clone + Send + Sync + 'static) -> Client
where
    Answered: Future<Output = Response<Body>> + Send + 'static,
{
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let respond = respond.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = to_bytes(Body::new(body), usize::MAX).await.unwrap_or_default();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            Ok::<_, Infallible>(
                respond(Asked { method: head.method, target: head.uri.to_string(), body }).await,
            )
        }
    });
    Client::new(service, "n")
}

/// A success.
pub fn answer(body: &Value) -> Response<Body> {
    Response::new(Body::from(body.to_string()))
}

/// A refusal as the API server writes it.
pub fn refusal(code: u16, reason: &str) -> Response<Body> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                        "message": "refused by the test", "reason": reason, "code": code});
    let mut response = answer(&status);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    response
}

/// A watch on which nothing happens.
pub fn silence() -> Response<Body> {
    Response::new(Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>()))
}

/// A process that may write, with the cryptography that `main` chooses.
pub fn shared() -> Shared {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Shared::new(Arc::new(|| true), Arc::new(|_| {}))
}
