//! The request log: what arrived, from which client, how it was answered. One entry per request, in order of arrival.
//! In: requests and their end. Out: entries, filters over them, counters. Secrets are cut before they are stored.

mod counters;
mod redact;

use crate::clock::stamp;
use crate::wire::{Answer, Request};
use bytes::Bytes;
use jiff::Timestamp;
use regex::Regex;
use serde_json::{Value, json};

pub use counters::counters;

/// One request of the log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Position in the log, from 1.
    pub seq: u64,
    /// When the request arrived.
    pub time: Timestamp,
    /// When it was answered.
    pub answered: Option<Timestamp>,
    /// The method.
    pub method: String,
    /// Path and query, signatures cut.
    pub url: String,
    /// What was asked for, as the types of the path: `GET workspaces/computes`.
    pub operation: String,
    /// Headers, secrets cut.
    pub headers: Vec<(String, String)>,
    /// The body as it arrived; forms with their secrets cut.
    pub body: Bytes,
    /// The application id of the token.
    pub client: Option<String>,
    /// The status, absent while there is no answer.
    pub status: Option<u16>,
    /// `code: message` of an answer that refuses.
    pub error: Option<String>,
    /// The fault that acted on this request.
    pub fault: Option<String>,
    /// How the request breaks the published definitions.
    pub violations: Vec<String>,
    /// How its answer does, which is a fault of the simulator; looked for in debug builds alone.
    pub answer_violations: Vec<String>,
}

impl Entry {
    /// The body as JSON; what is not JSON is told by its size.
    pub fn json_body(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|_| match std::str::from_utf8(&self.body) {
            Ok(text) if text.len() < 4096 => json!(text),
            Ok(_) | Err(_) => json!({ "bytes": self.body.len() }),
        })
    }

    /// The entry as the controls show it.
    pub fn json(&self) -> Value {
        let headers: serde_json::Map<_, _> =
            self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "seq": self.seq, "time": stamp(self.time), "answeredAt": self.answered.map(stamp),
            "method": self.method, "url": self.url, "operation": self.operation, "headers": headers,
            "body": self.json_body(), "client": self.client, "status": self.status, "error": self.error,
            "fault": self.fault, "contractViolations": self.violations,
            "answerViolations": self.answer_violations,
        })
    }

    /// Whether the request can have changed something in Azure: tokens, reads and look-ups do not.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
            && !self.operation.contains("entra/")
            && !self.operation.contains("oauth2")
    }
}

/// Which entries of the log are wanted; what is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only entries after this one.
    pub since: u64,
    /// Only requests of this application id.
    pub client: Option<String>,
    /// Only this method.
    pub method: Option<String>,
    /// Only paths (with query) that match.
    pub path: Option<Regex>,
    /// Only answers with this status.
    pub status: Option<u16>,
    /// Only requests that this fault acted on.
    pub fault: Option<String>,
    /// Only operations with this name.
    pub operation: Option<String>,
}

impl Filter {
    /// Whether the entry is wanted.
    pub fn matches(&self, entry: &Entry) -> bool {
        entry.seq > self.since
            && self.client.as_ref().is_none_or(|client| entry.client.as_ref() == Some(client))
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&entry.method))
            && self.status.is_none_or(|status| entry.status == Some(status))
            && self.fault.as_ref().is_none_or(|fault| entry.fault.as_ref() == Some(fault))
            && self
                .operation
                .as_ref()
                .is_none_or(|operation| operation.eq_ignore_ascii_case(&entry.operation))
            && self.path.as_ref().is_none_or(|path| path.is_match(&entry.url))
    }
}

/// The whole log.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
}

impl Log {
    /// Adds a request that has just arrived; `client` is the application id of its token.
    pub fn begin(&mut self, now: Timestamp, request: &Request, client: Option<String>) -> u64 {
        let seq = self.entries.len() as u64 + 1;
        self.entries.push(Entry {
            seq,
            time: now,
            answered: None,
            method: request.method.to_string(),
            url: redact::target(&request.target),
            operation: counters::operation(request),
            headers: redact::headers(&request.headers),
            body: redact::body(request),
            client,
            status: None,
            error: None,
            fault: None,
            violations: Vec::new(),
            answer_violations: Vec::new(),
        });
        seq
    }

    /// Notes the answer of a request.
    pub fn end(&mut self, now: Timestamp, seq: u64, answer: &Answer) {
        if let Some(entry) = self.entry(seq) {
            entry.answered = Some(now);
            entry.status = Some(answer.status.as_u16());
            entry.error = (answer.status.as_u16() >= 400).then(|| error_of(answer)).flatten();
        }
    }

    /// An entry that is to be amended.
    pub fn entry(&mut self, seq: u64) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(seq).ok()?.checked_sub(1)?)
    }

    /// The entries that the filter wants.
    pub fn find<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a Entry> {
        let skip = usize::try_from(filter.since).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries.iter().skip(skip).filter(move |entry| filter.matches(entry))
    }

    /// All entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

fn error_of(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let error = body.get("error")?;
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(format!("{}: {}", text("code"), text("message")))
}
