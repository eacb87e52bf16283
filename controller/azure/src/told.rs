//! What happens to a request, told thrice: to the metrics, to the log, and to the trace of the pass.
//!
//! In: a request and how it was answered. Out: one line, one span. Never a token, a signature or a body.

use crate::budget::{Bucket, Urgency};
use crate::headers::header;
use crate::request::{REGISTRY, Request};
use reqwest::header::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::Span;
use tracing::field::Empty;

/// The text of a line about a request, which tests match on.
pub const REQUEST: &str = "request";

/// Is told of what happens to requests.
pub type Observer = Arc<dyn Fn(&Told<'_>) + Send + Sync>;

/// Something that happened to a request.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// A request was sent.
    Sent(&'a Sent),
    /// A request may be sent now.
    Waited {
        /// What it takes from.
        bucket: Bucket,
        /// How urgent it is.
        urgency: Urgency,
        /// How long it waited.
        took: Duration,
    },
    /// A token was asked for.
    Token {
        /// Whether one was given.
        is_given: bool,
    },
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The HTTP method.
    pub verb: &'static str,
    /// The type of the resource, such as `workspaces/computes`, or the service outside of ARM.
    pub kind: String,
    /// The HTTP status; 0 when no answer came.
    pub status: u16,
    /// From the first byte sent to the whole answer.
    pub took: Duration,
}

/// The span of a request, in the trace of the pass that sends it.
pub(crate) fn span(request: &Request) -> Span {
    tracing::debug_span!(
        "azure.request",
        otel.name = format!("{} {}", request.verb.name(), request.kind),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = request.verb.name(),
        http.response.status_code = Empty,
        server.address = request.url.host_str(),
        azure.r#type = request.kind,
        azure.target = request.what,
        azure.budget_wait_ms = millis(request.waited),
        azure.client_request_id = request.id(),
        azure.request_id = Empty,
        azure.correlation_request_id = Empty,
    )
}

/// Says how a request was answered: to its span and to the log.
pub(crate) fn say((request, span): (&Request, &Span), sent: &Sent, answer: Option<&HeaderMap>) {
    let of_azure = |name| answer.and_then(|headers| header(headers, name));
    let (request_id, correlation_id) = (of_azure("x-ms-request-id"), of_azure("x-ms-correlation-request-id"));
    span.record("http.response.status_code", sent.status);
    span.record("azure.request_id", request_id.as_deref());
    span.record("azure.correlation_request_id", correlation_id.as_deref());
    if sent.status == 0 || sent.status >= 400 {
        span.record("otel.status_code", "ERROR");
    }
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                verb = sent.verb,
                r#type = sent.kind,
                status = sent.status,
                ms = millis(sent.took),
                waited_ms = millis(request.waited),
                client_request_id = request.id(),
                request_id,
                correlation_id,
                target_id = request.what,
                "{REQUEST}"
            )
        };
    }
    // Changes are worth a line; what only reads is a line of the level debug.
    if request.verb.writes() && request.kind != REGISTRY {
        line!(info);
    } else {
        line!(debug);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
