//! The shape of an answer: which operation it belongs to, what it shows, which keys it has. Pure.
//! `facts/exchange.py`, which reduces the recordings, reads answers in the same way, by the same `facts/rules.json`; a test
//! holds both to the same facts.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::LazyLock;

/// What tells shapes apart, in one file for this module and for `facts/exchange.py`.
#[derive(Deserialize)]
struct Rules {
    /// Maps whose keys people or graphs choose, or that depend on what was sent.
    free: HashSet<String>,
    /// What tells things of one operation apart.
    variants: Vec<String>,
}

static RULES: LazyLock<Result<Rules, serde_json::Error>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../facts/rules.json")));

fn is_free(key: &str) -> bool {
    RULES.as_ref().is_ok_and(|rules| rules.free.contains(key))
}

/// The places in a body with the kinds of what is there.
pub(super) type Keys = BTreeMap<String, BTreeSet<&'static str>>;

/// The method with the types of the path, without names: `PUT codes/versions`.
pub(super) fn operation(method: &str, host: &str, target: &str) -> Option<String> {
    let path: Vec<&str> =
        target.split('?').next().unwrap_or_default().split('/').filter(|part| !part.is_empty()).collect();
    let lower: Vec<String> = path.iter().map(|part| part.to_ascii_lowercase()).collect();
    let first = lower.first().map(String::as_str).unwrap_or_default();
    if let Some(at) = lower.iter().position(|part| part == "runs").filter(|_| first == "history") {
        let below = path.get(at + 2).map(|part| format!("/{part}")).unwrap_or_default();
        return Some(format!("{method} history/runs{below}"));
    }
    if host.contains(".blob.") || first == "blob" {
        return Some(format!("{method} blob"));
    }
    if ["v2", "oauth2", "acr"].contains(&first) {
        let words = ["manifests", "tags", "exchange", "token", "_tags", "_manifests"];
        let kind = lower.iter().find(|part| words.contains(&part.as_str()));
        let kind = kind.map(|kind| format!(" {kind}")).unwrap_or_default();
        return Some(format!("{method} registry data{kind}"));
    }
    let at = lower.iter().position(|part| part == "providers").filter(|_| first == "subscriptions")?;
    let provider = lower.get(at + 1)?;
    let rest = path.get(at + 2..)?;
    if !provider.starts_with("microsoft.machinelearning") && !provider.starts_with("microsoft.containerreg") {
        return None;
    }
    if rest.first() == Some(&"locations") {
        return rest.get(2).filter(|_| rest.len() > 3).map(|kind| format!("{method} {kind}"));
    }
    let kinds: Vec<&str> = match rest.get(2..).filter(|below| !below.is_empty()) {
        Some(below) => below.iter().step_by(2).copied().collect(),
        None => rest.iter().take(1).copied().collect(),
    };
    let listed = if method == "GET" && rest.len() % 2 == 1 { " list" } else { "" };
    Some(format!("{method} {}{listed}", kinds.join("/")))
}

/// What kind of thing an answer shows, where things of one operation differ in their keys.
pub(super) fn variant(body: &Value) -> String {
    let Some(mut properties) = body.get("properties").and_then(Value::as_object) else {
        let asked = body.get("name").filter(|_| body.get("id").is_some());
        let status = body.get("status").and_then(Value::as_str);
        let (Some(name), Some(status)) = (asked, status) else { return String::new() };
        // Schedules and endpoints have operations of their own.
        let whose =
            if name.as_str().is_some_and(|name| name.starts_with("s:")) { "schedule" } else { "endpoint" };
        let end = match status {
            "Succeeded" => "ended",
            "Failed" => "failed",
            _ => "going on",
        };
        return format!("{whose} {end}");
    };
    if let Some(spec) = properties.get("componentSpec").and_then(Value::as_object) {
        return spec.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    }
    if let Some(action) = properties.get("action").and_then(Value::as_object) {
        let Some(job) = action.get("jobDefinition").and_then(Value::as_object) else {
            return String::new();
        };
        properties = job;
    }
    if properties.contains_key("build") {
        return "build".to_owned();
    }
    let keys = RULES.as_ref().map(|rules| rules.variants.as_slice()).unwrap_or_default();
    keys.iter().find_map(|key| properties.get(key)?.as_str()).unwrap_or_default().to_owned()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

/// The places in a body with their kinds; the first three entries of a list stand for all.
pub(super) fn keys(value: &Value) -> Keys {
    let mut found = Keys::new();
    collect(value, "", &mut found);
    found
}

fn collect(value: &Value, at: &str, found: &mut Keys) {
    // Where a key has a dot, the keys are the names of properties.
    let map = value.as_object().filter(|map| !map.keys().any(|key| key.contains('.')));
    for (key, entry) in map.into_iter().flatten() {
        // Only the author's file has it.
        if key == "$schema" {
            continue;
        }
        let place = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        found.entry(place.clone()).or_default().insert(kind(entry));
        let people = key == "properties" && (at.ends_with("properties") || at.ends_with("jobDefinition"));
        if !is_free(key) && !people {
            collect(entry, &place, found);
        }
    }
    for entry in value.as_array().into_iter().flatten().take(3) {
        collect(entry, &format!("{at}[]"), found);
    }
}

/// The chain of error codes of an answer, the outer one first; those of `details` where there is no inner error.
pub(super) fn codes(body: &Value) -> Vec<String> {
    let text = |value: &Value| value.get("code").and_then(Value::as_str).map(str::to_owned);
    let Some(error) = body.get("error").filter(|error| error.is_object()) else {
        return body.pointer("/errors/0").and_then(text).into_iter().collect();
    };
    let mut chain: Vec<String> = text(error).into_iter().collect();
    let more = error.get("additionalInfo").and_then(Value::as_array);
    let inner = more.into_iter().flatten().find(|entry| entry["type"] == "InnerError");
    let mut next = inner.and_then(|entry| entry.pointer("/info/value"));
    while let Some(one) = next {
        chain.extend(text(one));
        next = one.get("innerError");
    }
    if chain.len() == 1 {
        chain.extend(error.pointer("/details/0").and_then(text));
    }
    chain
}
