//! What the recorder does with a connection to one of Azure's hosts: it ends TLS, sends each request on, and notes both ways.
//!
//! In: requests. Out: the same to the same host, the answer unchanged, an exchange. Follows nothing, tries nothing again.

use super::certificates::Authority;
use super::{Body, Exchange, Seen};
use crate::setup::Setup;
use anyhow::{Context as _, Result};
use azureml_client::cloud::Cloud;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// Hosts beside the cloud's that are looked into: blobs (addresses with signatures, to which no token goes) and endpoints.
const BESIDE: [&str; 6] = [
    ".blob.core.windows.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".inference.ml.azure.com",
    ".inference.ml.azure.cn",
    ".inference.ml.azure.us",
];

/// What all connections share.
pub struct Forward {
    cloud: Arc<Cloud>,
    http: reqwest::Client,
    authority: Authority,
    seen: Arc<Seen>,
}

impl Forward {
    pub fn new(setup: &Setup, authority: Authority, seen: Arc<Seen>) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(true)
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_mins(2));
        if let Some(pem) = &setup.ca {
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        Ok(Self { cloud: setup.cloud.clone(), http: builder.build()?, authority, seen })
    }

    /// Whether a host is one of Azure's: `host:port`.
    pub fn looks_into(&self, target: &str) -> bool {
        let Ok(url) = Url::parse(&format!("https://{target}/")) else { return false };
        let host = url.host_str().unwrap_or_default();
        self.cloud.trust(&url).is_ok()
            || (url.port().is_none() && BESIDE.iter().any(|suffix| host.ends_with(suffix)))
    }

    /// Serves a connection.
    pub async fn serve(self: Arc<Self>, stream: TcpStream, target: String) -> Result<()> {
        let host = target.rsplit_once(':').map_or(target.as_str(), |(host, _)| host);
        let tls = TlsAcceptor::from(self.authority.server(host)?).accept(stream).await?;
        let target = target.strip_suffix(":443").unwrap_or(&target).to_owned();
        let service = service_fn(move |request| {
            let (this, target) = (self.clone(), target.clone());
            async move { Ok::<_, Infallible>(this.answer(&target, request).await) }
        });
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(tls), service)
            .await
            .context("the connection broke")
    }

    async fn answer(&self, host: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return plain(StatusCode::BAD_REQUEST) };
        let body = body.to_bytes();
        let mut exchange = Exchange {
            method: head.method.to_string(),
            host: host.to_owned(),
            target: head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            headers: head.headers,
            body: Body::read(&body),
            status: 0,
            answer_headers: HeaderMap::new(),
            answer: Body::Empty,
        };
        let Ok((status, headers, bytes)) = self.send(&head.method, &exchange, body).await else {
            self.seen.add(exchange);
            return plain(StatusCode::BAD_GATEWAY);
        };
        exchange.status = status.as_u16();
        exchange.answer_headers = headers.clone();
        exchange.answer = Body::read(&bytes);
        self.seen.add(exchange);
        answered(status, &headers, bytes, head.method == Method::HEAD)
    }

    async fn send(
        &self,
        method: &Method,
        exchange: &Exchange,
        body: Bytes,
    ) -> Result<(StatusCode, HeaderMap, Bytes)> {
        let url = Url::parse(&format!("https://{}{}", exchange.host, exchange.target))?;
        let mut headers = exchange.headers.clone();
        for name in [HOST, CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
            headers.remove(name);
        }
        let mut request = self.http.request(method.clone(), url).headers(headers);
        // A POST or PUT without a body needs a length.
        if !body.is_empty() || matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok((status, headers, response.bytes().await?))
    }
}

fn answered(status: StatusCode, headers: &HeaderMap, bytes: Bytes, is_head: bool) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    for (name, value) in headers {
        let is_of_connection = *name == CONNECTION || *name == TRANSFER_ENCODING;
        // The length of an answer to HEAD is that of what is not sent; of others it is counted.
        if !is_of_connection && (is_head || *name != CONTENT_LENGTH) {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    response
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}
