//! A request to Azure before it is sent, and what its verb means.

use crate::budget::Bucket;
use crate::headers::{header, set};
use reqwest::Method;
use reqwest::header::HeaderMap;
use std::time::Duration;
use url::Url;

/// The header by which a request of ours is found in Azure's own logs.
const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// A request, ready but for its token.
pub(crate) struct Request {
    pub verb: Verb,
    pub url: Url,
    /// What to call the target in errors.
    pub what: String,
    /// What to call it in metrics.
    pub kind: String,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    /// How long it waited for the budget.
    pub waited: Duration,
}

impl Request {
    /// A request without a body.
    pub fn new(verb: Verb, url: Url, what: String, kind: impl Into<String>, headers: HeaderMap) -> Self {
        Self { verb, url, what, kind: kind.into(), headers, body: None, waited: Duration::ZERO }
    }

    /// Gives the request an id of its own, also when it had one.
    pub fn identify(&mut self) {
        set(&mut self.headers, CLIENT_REQUEST_ID, &azure_core::Uuid::new_v4().to_string());
    }

    /// The id that the request was given.
    pub fn id(&self) -> Option<String> {
        header(&self.headers, CLIENT_REQUEST_ID)
    }
}

/// The HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Reads the headers.
    Head,
    /// Makes or replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Acts.
    Post,
    /// Removes.
    Delete,
}

impl Verb {
    /// The method's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Head => Method::HEAD,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Post => Method::POST,
            Self::Delete => Method::DELETE,
        }
    }

    /// Whether the request may change something.
    #[must_use]
    pub fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::Head)
    }

    /// The bucket of ARM that it takes from.
    #[must_use]
    pub fn bucket(self) -> Bucket {
        match self {
            Self::Get | Self::Head => Bucket::Reads,
            Self::Put | Self::Patch | Self::Post => Bucket::Writes,
            Self::Delete => Bucket::Deletes,
        }
    }
}
