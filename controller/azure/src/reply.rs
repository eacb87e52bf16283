//! Reads an answer that is no success.
//!
//! In: what was asked, a status, headers, a body. Out: a [`Refusal`] with its class. Three bodies are known: ARM's, a
//! registry's and blob storage's. What none of Azure's services gave is told as such.

use crate::class::Class;
use crate::codes;
use crate::headers::{believed, header, retry_after};
use crate::refusal::{FOREIGN, Refusal, word};
use crate::verb::Verb;
use crate::words::{cut, says_quota, tidy, wait};
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

/// An answer as it came, and what it answers.
pub(crate) struct Reply<'a> {
    pub verb: Verb,
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    /// Names in the request that a user chose and that could be mistaken for Azure's words.
    pub names: &'a [String],
    /// Whether the host is of anybody's choosing, and so need not send Azure's headers.
    pub is_strange: bool,
}

/// What a body says.
#[derive(Debug, Default)]
struct Said {
    /// From the outermost to the innermost code.
    chain: Vec<String>,
    /// Codes beside the chain.
    beside: Vec<String>,
    message: String,
    policies: Vec<String>,
}

impl Said {
    fn codes(&self) -> impl Iterator<Item = &str> {
        self.chain.iter().rev().chain(&self.beside).map(String::as_str)
    }
}

/// The longest code that is believed; Azure's have up to 60 characters.
const LONGEST_CODE: usize = 128;
/// The longest challenge that is read.
const LONGEST_CHALLENGE: usize = 2_000;

/// Blob storage's body ("Status and error codes", Azure Storage).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StorageError {
    code: String,
    #[serde(default)]
    message: String,
}

impl Reply<'_> {
    /// Reads the answer.
    pub fn read(&self) -> Refusal {
        let said = self.said();
        let is_foreign = self.is_foreign();
        let of_header = header(self.headers, "x-ms-error-code");
        let code = said.chain.last().cloned().or(of_header).unwrap_or_else(|| word(self.status).to_owned());
        let code = cut(&code, LONGEST_CODE);
        let class = self.class(&said, &code);
        let may_say = matches!(class, Class::Throttled | Class::Unavailable);
        let in_words = || wait(&said.message).filter(|_| may_say).map(believed);
        let asked = retry_after(self.headers).or_else(in_words);
        Refusal {
            status: self.status,
            code: if is_foreign { FOREIGN.to_owned() } else { code },
            message: tidy(&said.message),
            class,
            policies: said.policies,
            retry_after: asked,
            is_gateways: header(self.headers, "x-ms-failure-cause").is_some_and(|cause| cause == "gateway"),
            request_id: header(self.headers, "x-ms-request-id").map(|text| cut(&text, LONGEST_CODE)),
            challenge: header(self.headers, "www-authenticate").map(|text| cut(&text, LONGEST_CHALLENGE)),
        }
    }

    fn class(&self, said: &Said, code: &str) -> Class {
        if self.is_foreign() {
            return Class::Unavailable;
        }
        let codes = || said.codes().chain([code]);
        if let Some(class) = codes::class(codes()) {
            return class;
        }
        match self.status {
            404 if self.verb.speaks_of_target() => Class::Gone,
            404 => Class::Missing,
            _ if self.says_quota(said, code) => Class::Quota,
            401 | 403 => Class::Forbidden,
            429 => Class::Throttled,
            409 | 412 | 423 => Class::Conflict,
            // A gateway lost patience; the request may have had its effect.
            408 | 425 => Class::Unavailable,
            400..=499 => Class::Invalid,
            _ => Class::Unavailable,
        }
    }

    /// Whether a proxy or gateway answered in Azure's place: a page for people, or a 404 without any header of Azure's.
    /// The front door's own pages for 5xx are Azure's, and 401 is told by its challenge.
    fn is_foreign(&self) -> bool {
        match self.status {
            404 => self.is_page() || !(self.is_azures() || self.is_strange),
            400 | 403 | 405 | 407 => self.is_page() && !self.is_azures(),
            _ => false,
        }
    }

    fn is_page(&self) -> bool {
        let kind = header(self.headers, "content-type").unwrap_or_default();
        kind.contains("html") || is_page(self.body)
    }

    /// Whether one of Azure's services, or the registry itself, gave the answer.
    fn is_azures(&self) -> bool {
        let is_ours = |name: &str| {
            (name.starts_with("x-ms-") && name != "x-ms-client-request-id")
                || name == "docker-distribution-api-version"
        };
        self.headers.keys().any(|name| is_ours(name.as_str()))
    }

    /// A quota is told by its code. By words only where a user's names cannot be meant, and where no code fits better.
    fn says_quota(&self, said: &Said, code: &str) -> bool {
        if self.status == 429 {
            // Compute's own word for a quota of cores, and sometimes for throttling.
            let is_throttling =
                said.message.to_lowercase().contains("too many requests") || wait(&said.message).is_some();
            return !is_throttling
                && (code == "OperationNotAllowed" || codes::is_quota(said.codes().chain([code])));
        }
        let by_words = matches!(self.status, 400 | 403 | 409) && says_quota(&said.message, self.names);
        codes::is_quota(said.codes().chain([code])) || by_words
    }

    fn said(&self) -> Said {
        let body = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body);
        if let Ok(parsed) = serde_json::from_slice::<Value>(body) {
            return of_json(&parsed);
        }
        let text = String::from_utf8_lossy(body);
        if let Ok(StorageError { code, message }) = quick_xml::de::from_str(&text) {
            // The request id and the time follow on lines of their own.
            let message = message.lines().next().unwrap_or_default().to_owned();
            return Said { chain: vec![code], message, ..Said::default() };
        }
        let message = if is_page(body) { title(&text) } else { text.into_owned() };
        Said { message, ..Said::default() }
    }
}

fn is_page(body: &[u8]) -> bool {
    let start: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(15).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with(b"<html") || start.starts_with(b"<!doctypehtml")
}

/// The title of a page; the page itself says nothing in a condition.
fn title(page: &str) -> String {
    let (_, after) = page.split_once("<title>").unwrap_or_default();
    cut(after.split("</title>").next().unwrap_or_default().trim(), 200)
}

/// ARM's `{"error": {…}}`, a bare `{"code", "message"}`, a registry's `{"errors": […]}`, OAuth's `{"error": "…"}`.
fn of_json(parsed: &Value) -> Said {
    if let Some(code) = text(parsed, "error") {
        let message = text(parsed, "error_description").unwrap_or_default();
        return Said { chain: vec![code], message, ..Said::default() };
    }
    let error = parsed.get("error").filter(|error| error.is_object());
    let error = error.or_else(|| parsed["errors"].get(0)).unwrap_or(parsed);
    let message = text(error, "message").or_else(|| text(error, "Message")).unwrap_or_default();
    let outer = text(error, "code").or_else(|| text(error, "Code"));
    let details = error["details"].as_array().into_iter().flatten();
    Said {
        chain: outer.into_iter().chain(inner(error)).collect(),
        beside: details.filter_map(|detail| text(detail, "code")).collect(),
        policies: policies(error, &message),
        message,
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The codes of a chain of inner errors, from the outside in.
fn inner(error: &Value) -> Vec<String> {
    let deeper = |error: &Value| error.get("innerError").or_else(|| error.get("innererror")).cloned();
    let listed = error["additionalInfo"].as_array().into_iter().flatten();
    let listed = listed.into_iter().find(|info| info["type"] == "InnerError");
    let mut next = listed.map(|info| info["info"]["value"].clone()).or_else(|| deeper(error));
    let mut codes = Vec::new();
    while let Some(error) = next.filter(Value::is_object) {
        codes.extend(text(&error, "code"));
        next = deeper(&error);
    }
    codes
}

/// The most policies that are named.
const MOST_POLICIES: usize = 3;

/// The policy assignments that a refusal names: in its list of violations, else in its message
/// ("Policy identifiers: '[{"policyAssignment":{"name":…,"id":…},…}]'").
fn policies(error: &Value, message: &str) -> Vec<String> {
    let violations = error["additionalInfo"].as_array().into_iter().flatten();
    let violations = violations.filter(|info| info["type"] == "PolicyViolation").map(|info| {
        let info = &info["info"];
        let name = text(info, "policyAssignmentDisplayName").or_else(|| text(info, "policyAssignmentName"));
        (name, text(info, "policyAssignmentId"))
    });
    let mut found: Vec<_> = violations.collect();
    if found.is_empty() {
        let list = message.split_once("Policy identifiers: '").map(|(_, list)| list).unwrap_or_default();
        let list = serde_json::Deserializer::from_str(list).into_iter::<Value>().next();
        let list = list.and_then(Result::ok).unwrap_or_default();
        let assignments = list.as_array().into_iter().flatten().map(|one| &one["policyAssignment"]);
        found = assignments.map(|one| (text(one, "name"), text(one, "id"))).collect();
    }
    let mut names: Vec<String> = found.into_iter().filter_map(named).collect();
    names.dedup();
    names.truncate(MOST_POLICIES);
    names
}

fn named((name, id): (Option<String>, Option<String>)) -> Option<String> {
    match (name.map(|name| cut(&name, 128)), id.map(|id| cut(&id, 256))) {
        (Some(name), Some(id)) => Some(format!("{name:?} ({id})")),
        (Some(one), None) | (None, Some(one)) => Some(format!("{one:?}")),
        (None, None) => None,
    }
}

#[cfg(test)]
#[path = "reply/tests.rs"]
mod tests;
