//! One HTTP request to Azure, from gate to answer: what every kind of call has in common.
//!
//! In: a request. Out: an [`Answer`] or a classified error. Checks last before a write that this process may still write.

use crate::address::{PrivateAddress, refuse_private_literal};
use crate::error::Error;
use crate::headers::{header, retry_after, set_secret};
use crate::reply::Reply;
use crate::request::{REGISTRY, Request};
use crate::rooms::{LARGE, Rooms};
use crate::told;
pub use crate::told::{Observer, Sent, Told};
pub use crate::verb::Verb;
use azure_core::http::HttpClient;
use futures::future::BoxFuture;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{Instrument as _, Span};

/// Says whether this process may still change things: asked last, when token, budget and connection are there.
pub type Gate = Arc<dyn Fn() -> bool + Send + Sync>;

/// What carries requests to Azure, and those of credentials to Entra: a client of reqwest, or in a test what answers without a
/// network.
pub trait Http: HttpClient {
    /// Sends a request. The body of the answer may still be on its way.
    fn carry(&self, request: reqwest::Request) -> BoxFuture<'_, reqwest::Result<reqwest::Response>>;
}

impl Http for reqwest::Client {
    fn carry(&self, request: reqwest::Request) -> BoxFuture<'_, reqwest::Result<reqwest::Response>> {
        Box::pin(self.execute(request))
    }
}

/// An answer of Azure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON; null when there is none.
    pub body: Value,
    /// What Azure asks to wait before the next look.
    pub retry_after: Option<Duration>,
    /// `Azure-AsyncOperation`: where the operation is that carries a write out. Up to 4,000 characters, with a signature.
    pub operation: Option<String>,
}

/// The connection to the world that every client of a cloud shares.
#[derive(Clone)]
pub struct Transport {
    pub(crate) http: Arc<dyn Http>,
    pub(crate) gate: Gate,
    pub(crate) observer: Observer,
    pub(crate) rooms: Arc<Rooms>,
    only_public: bool,
    largest: usize,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

/// A request under way.
struct Exchange<'a> {
    request: &'a Request,
    span: Span,
    started: Instant,
}

/// The largest answer that is read: a page of a list. The largest recorded answer has 42 kB.
const LARGEST_ANSWER: usize = 8 << 20;
/// The largest single resource.
const LARGEST_RESOURCE: usize = 2 << 20;
/// The largest that is read of anybody's host: manifests are asked for by HEAD, and tokens are short.
const LARGEST_OF_STRANGERS: usize = 64 << 10;

impl Transport {
    /// A transport over an HTTP client that follows no redirects.
    #[must_use]
    pub fn new(http: Arc<dyn Http>, gate: Gate, observer: Observer) -> Self {
        let rooms = Arc::default();
        Self { http, gate, observer, rooms, only_public: false, largest: LARGEST_ANSWER }
    }

    /// The same, which shares its rooms with others.
    #[must_use]
    pub fn sharing(self, rooms: Arc<Rooms>) -> Self {
        Self { rooms, ..self }
    }

    /// The same, for hosts of anybody's choosing: an address inside of the platform is refused where it is written as one.
    /// Names are up to the resolver of the HTTP client, which says so with a [`PrivateAddress`].
    #[must_use]
    pub fn only_public(self) -> Self {
        Self { only_public: true, ..self }
    }

    /// The same, for hosts that may send what they like: little of it is read.
    #[must_use]
    pub fn for_strangers(self) -> Self {
        Self { largest: LARGEST_OF_STRANGERS, ..self }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &self,
        request: &Request,
        token: Option<&str>,
    ) -> Result<(Answer, HeaderMap), Error> {
        let (status, bytes, headers) = self.exchange(request, token).await?;
        if bytes.len() > LARGEST_RESOURCE {
            return Err(unreadable(request, format!("it is larger than {LARGEST_RESOURCE} bytes")));
        }
        let body = body(request, &bytes)?;
        let (retry_after, operation) = (retry_after(&headers), header(&headers, "azure-asyncoperation"));
        Ok((Answer { status, body, retry_after, operation }, headers))
    }

    /// Sends a request and gives the raw bytes of the answer.
    pub(crate) async fn send_raw(
        &self,
        request: &Request,
        token: Option<&str>,
    ) -> Result<(Vec<u8>, HeaderMap), Error> {
        self.exchange(request, token).await.map(|(_, bytes, headers)| (bytes, headers))
    }

    /// Sends a request and reads what comes back; what is no success is an error.
    async fn exchange(
        &self,
        request: &Request,
        token: Option<&str>,
    ) -> Result<(u16, Vec<u8>, HeaderMap), Error> {
        if self.only_public {
            refuse_private_literal(&request.url).map_err(|private| private_address(request, private))?;
        }
        let _sent = self.rooms.send().await;
        let built = build(request, token);
        if request.verb.writes() && !(self.gate)() {
            return Err(Error::NotLeading { verb: request.verb.name(), what: request.what.clone() });
        }
        let exchange = Exchange { request, span: told::span(request), started: Instant::now() };
        self.answered(&exchange, built).instrument(exchange.span.clone()).await
    }

    async fn answered(
        &self,
        exchange: &Exchange<'_>,
        built: reqwest::Request,
    ) -> Result<(u16, Vec<u8>, HeaderMap), Error> {
        let request = exchange.request;
        let no_answer = |error: reqwest::Error| self.no_answer(exchange, &error);
        let mut response = self.http.carry(built).await.map_err(no_answer)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (mut bytes, mut room) = (Vec::new(), None);
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if bytes.len() + chunk.len() > self.largest {
                self.tell(exchange, status, Some(&headers));
                return Err(unreadable(request, format!("it is larger than {} bytes", self.largest)));
            }
            if room.is_none() && bytes.len() + chunk.len() > LARGE {
                room = self.rooms.answer().await;
            }
            bytes.extend_from_slice(&chunk);
        }
        self.tell(exchange, status, Some(&headers));
        if !(200..300).contains(&status) {
            return Err(refused(request, status, &headers, &bytes));
        }
        Ok((status, bytes, headers))
    }

    fn no_answer(&self, exchange: &Exchange<'_>, error: &reqwest::Error) -> Error {
        let request = exchange.request;
        self.tell(exchange, 0, None);
        if let Some(private) = source::<PrivateAddress>(error) {
            return private_address(request, private.clone());
        }
        Error::NoAnswer { verb: request.verb.name(), what: request.what.clone(), cause: cause(error) }
    }

    fn tell(&self, exchange: &Exchange<'_>, status: u16, headers: Option<&HeaderMap>) {
        let Exchange { request, span, started } = exchange;
        let (verb, kind) = (request.verb.name(), request.kind.clone());
        let sent = Sent { verb, kind, status, took: started.elapsed() };
        told::say((request, span), &sent, headers);
        (self.observer)(&Told::Sent(&sent));
    }
}

fn build(request: &Request, token: Option<&str>) -> reqwest::Request {
    let mut built = reqwest::Request::new(request.verb.method(), request.url.clone());
    let headers = built.headers_mut();
    headers.clone_from(&request.headers);
    if let Some(token) = token {
        set_secret(headers, "authorization", &format!("Bearer {token}"));
    }
    // An empty body has no length of its own over HTTP/1.1, and ARM answers 411 to a write without one.
    if request.verb.may_have_body() && request.body.as_ref().is_none_or(Vec::is_empty) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    *built.body_mut() = request.body.clone().map(Into::into);
    built
}

/// Why there was no answer, without the address: it may carry a signature.
fn cause(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "the time was up"
    } else if error.is_connect() {
        "failed to connect"
    } else {
        "the connection broke"
    };
    std::error::Error::source(error)
        .map(crate::auth::chain)
        .map_or_else(|| kind.to_owned(), |inner| format!("{kind}: {inner}"))
}

fn private_address(request: &Request, PrivateAddress(host): PrivateAddress) -> Error {
    Error::PrivateAddress { verb: request.verb.name(), what: request.what.clone(), host }
}

/// The first error of a type in a chain of causes.
fn source<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
        .find_map(|error| error.downcast_ref())
}

pub(crate) fn unreadable(request: &Request, cause: String) -> Error {
    Error::Unreadable { verb: request.verb.name(), what: request.what.clone(), cause }
}

fn refused(request: &Request, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let names = request.names_like("quota");
    let is_strange = request.kind == REGISTRY;
    let refusal = Reply { verb: request.verb, status, headers, body, names: &names, is_strange }.read();
    Error::Refused { verb: request.verb.name(), what: request.what.clone(), refusal: Box::new(refusal) }
}

fn body(request: &Request, bytes: &[u8]) -> Result<Value, Error> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|error| unreadable(request, error.to_string()))
}
