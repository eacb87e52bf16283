//! Takes out of a recording what is nobody's business: ids and names are replaced, each by the same one everywhere; tokens,
//! signatures and secrets are cut; other people's things and the people themselves are left out.
//!
//! In: exchanges. Out: entries. What is forbidden is looked for in the finished text, and then nothing is written.

mod known;

use self::known::{Patterns, forbidden, named_by, word};
use crate::names::Names;
use crate::recorder::{Body, Exchange};
use crate::recording::Entry;
use crate::setup::Setup;
use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// What stands in a recording instead of the subscription.
pub const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";
/// Instead of the resource group.
pub const GROUP: &str = "rg-ml";
/// Instead of the workspace.
pub const WORKSPACE: &str = "mlw-live";
/// Instead of the registry.
pub const REGISTRY: &str = "acrlive";

const CUT: &str = "***";
const SOMEBODY: &str = "somebody";
const REQUEST_HEADERS: [&str; 5] =
    ["accept", "content-type", "if-none-match", "x-ms-blob-type", "azureml-model-deployment"];
const ANSWER_HEADERS: [&str; 6] = [
    "content-type",
    "location",
    "azure-asyncoperation",
    "retry-after",
    "docker-content-digest",
    "www-authenticate",
];
/// What of a workspace is needed; the rest is its owners' business.
const WORKSPACE_PROPERTIES: [&str; 8] = [
    "discoveryUrl",
    "workspaceId",
    "containerRegistry",
    "storageAccount",
    "keyVault",
    "applicationInsights",
    "provisioningState",
    "publicNetworkAccess",
];
/// The largest upload that is kept: a Dockerfile and a script.
const LARGEST_UPLOAD: usize = 64 << 10;

/// The rules for one recording.
pub struct Redactor {
    names: Names,
    host_of_manager: String,
    workspace: String,
    words: Vec<(Regex, String)>,
    ids: HashMap<String, String>,
    patterns: Patterns,
    forbidden: Vec<(&'static str, String)>,
}

impl Redactor {
    /// The rules, by what the exchanges tell of the workspace.
    ///
    /// # Errors
    /// When a name cannot be looked for.
    pub fn new(setup: &Setup, names: &Names, exchanges: &[Exchange]) -> Result<Self> {
        let mut known = vec![(setup.segment("resourceGroups").to_owned(), GROUP.to_owned())];
        known.push((setup.workspace.name().to_owned(), WORKSPACE.to_owned()));
        known.extend(named_by(setup, exchanges));
        let mut words = Vec::new();
        for (name, instead) in &known {
            words.push((word(name)?, format!("${{1}}{instead}${{2}}")));
        }
        let subscription = setup.segment("subscriptions").to_ascii_lowercase();
        let manager = &setup.cloud.resource_manager;
        let port = manager.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self {
            names: names.clone(),
            host_of_manager: format!("{}{port}", manager.host_str().unwrap_or_default()),
            workspace: setup.workspace.key(),
            words,
            ids: HashMap::from([(subscription.clone(), SUBSCRIPTION.to_owned())]),
            patterns: Patterns::new()?,
            forbidden: forbidden(&known, subscription, exchanges),
        })
    }

    /// The entry of an exchange; `None` for what is not recorded at all: tokens, and what got no answer.
    pub fn entry(&mut self, exchange: &Exchange) -> Option<Entry> {
        let path = exchange.path().to_ascii_lowercase();
        let is_about_tokens =
            ["/oauth2/", "/.well-known/", "/metadata/"].iter().any(|part| path.contains(part));
        if is_about_tokens || exchange.status == 0 {
            return None;
        }
        let host = self.host(exchange);
        let target = if host == "blob" { exchange.path() } else { &exchange.target };
        Some(Entry {
            by: if exchange.is_operators() { "operator" } else { "check" }.to_owned(),
            method: exchange.method.clone(),
            path: self.text(target),
            headers: self.headers(&exchange.headers, &REQUEST_HEADERS),
            body: self.body(&exchange.body, host == "blob" && exchange.method == "PUT"),
            status: exchange.status,
            answer_headers: self.headers(&exchange.answer_headers, &ANSWER_HEADERS),
            answer: self.answer(exchange, &path),
            host,
        })
    }

    fn host(&mut self, exchange: &Exchange) -> String {
        let is_blob = !exchange.header("x-ms-blob-type").is_empty()
            || exchange.host.contains(".blob.")
            || exchange.target.contains("sig=");
        if is_blob {
            "blob".to_owned()
        } else if exchange.path().starts_with("/v2/") {
            "registry".to_owned()
        } else if exchange.host == self.host_of_manager {
            "resource-manager".to_owned()
        } else {
            self.text(&exchange.host)
        }
    }

    fn headers(&mut self, headers: &HeaderMap, kept: &[&str]) -> BTreeMap<String, String> {
        let is_kept = |name: &str| kept.contains(&name) || name.starts_with("x-ms-ratelimit-");
        let pairs = headers.iter().filter(|(name, _)| is_kept(name.as_str()));
        pairs
            .map(|(name, value)| (name.to_string(), self.text(&String::from_utf8_lossy(value.as_bytes()))))
            .collect()
    }

    fn body(&mut self, body: &Body, is_upload: bool) -> Value {
        match body {
            Body::Empty => Value::Null,
            Body::Json(value) => self.value(value),
            // What the story uploads is its own Dockerfile and script.
            Body::Bytes(bytes) if is_upload && bytes.len() <= LARGEST_UPLOAD => {
                json!({"$base64": STANDARD.encode(bytes)})
            }
            Body::Bytes(bytes) => json!({"$bytes": bytes.len()}),
        }
    }

    fn answer(&mut self, exchange: &Exchange, path: &str) -> Value {
        let Body::Json(value) = &exchange.answer else { return self.body(&exchange.answer, false) };
        let mut value = value.clone();
        if path.trim_end_matches('/') == self.workspace {
            value = kept_of_workspace(&value);
        }
        if let Some(items) = value["value"].as_array_mut() {
            // Other people's clusters, schedules and runs.
            items.retain(|item| self.names.are_in(&item.to_string()));
        }
        self.value(&value)
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => json!(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                let members = map.iter().map(|(key, value)| (self.text(key), self.member(key, value)));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn member(&mut self, key: &str, value: &Value) -> Value {
        if matches!(
            key,
            "createdBy" | "lastModifiedBy" | "modifiedBy" | "userName" | "userPuId" | "userObjectId"
        ) {
            return nobody(value);
        }
        if value.is_string() && self.patterns.secret.is_match(key) {
            return json!(CUT);
        }
        self.value(value)
    }

    /// Text without ids, names, tokens, signatures, addresses of people and machines.
    pub fn text(&mut self, text: &str) -> String {
        let text = self.patterns.signature.replace_all(text, format!("${{1}}{CUT}"));
        let text = self.patterns.token.replace_all(&text, CUT);
        let text = self.patterns.mail.replace_all(&text, "somebody@example.com");
        let mut text = self.patterns.address.replace_all(&text, "192.0.2.1").into_owned();
        for (word, instead) in &self.words {
            // Twice, since what ends one hit may begin the next.
            for _ in 0..2 {
                text = word.replace_all(&text, instead).into_owned();
            }
        }
        let ids = &mut self.ids;
        let replaced = self.patterns.guid.replace_all(&text, |found: &regex::Captures<'_>| {
            let next = format!("00000000-0000-4000-8000-{:012}", ids.len());
            let found = found[0].to_ascii_lowercase();
            if found == SUBSCRIPTION || found.starts_with("00000000-0000-4000-8000-") {
                return found;
            }
            ids.entry(found).or_insert(next).clone()
        });
        replaced.into_owned()
    }

    /// Whether the finished text holds something that it may not.
    ///
    /// # Errors
    /// When it does; of which sort it is is said, and not what it is.
    pub fn check(&self, text: &str) -> Result<()> {
        let lower = text.to_ascii_lowercase();
        if let Some((what, _)) = self.forbidden.iter().find(|(_, secret)| lower.contains(secret)) {
            bail!("the recording would hold {what}; it is not written");
        }
        Ok(())
    }
}

/// What is kept of a workspace's own answer.
#[must_use]
pub fn kept_of_workspace(workspace: &Value) -> Value {
    let mut workspace = workspace.clone();
    if let Some(properties) = workspace["properties"].as_object_mut() {
        properties.retain(|key, _| WORKSPACE_PROPERTIES.contains(&key.as_str()));
    }
    if let Some(map) = workspace.as_object_mut() {
        map.remove("tags");
    }
    workspace
}

/// Any person or application.
fn nobody(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(SOMEBODY),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), nobody(value))).collect())
        }
        Value::Array(items) => items.iter().map(nobody).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
