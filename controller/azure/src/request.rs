//! A request to Azure before it is sent, and what its verb means.

use crate::headers::{header, set};
use crate::verb::Verb;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// The header by which a request of ours is found in Azure's own logs.
const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// The kind of requests to registries, which may be anybody's.
pub(crate) const REGISTRY: &str = "registry";

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

    /// Names in the address and in the body that contain a word: what a user calls a thing is no word of Azure's.
    pub fn names_like(&self, word: &str) -> Vec<String> {
        // The names of resources need no escape.
        let mut found: Vec<String> = self.url.path().split('/').map(str::to_owned).collect();
        let body = self.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
        strings(&body.unwrap_or_default(), &mut found);
        found.retain(|text| text.to_lowercase().contains(word));
        found
    }

    /// The id that the request was given.
    pub fn id(&self) -> Option<String> {
        header(&self.headers, CLIENT_REQUEST_ID)
    }
}

/// Every text of a document, keys too.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(map) => {
            for (key, item) in map {
                found.push(key.clone());
                strings(item, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
