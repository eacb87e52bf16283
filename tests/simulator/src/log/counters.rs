//! The name of what a request asked for, and counts over the log by method, client and name.

use super::Entry;
use crate::wire::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Types of ARM paths whose next segment is the name of one thing.
fn arm_operation(segments: &[&str]) -> Option<String> {
    let provider = segments.iter().position(|segment| segment.eq_ignore_ascii_case("providers"))?;
    let typed = segments.get(provider + 2..)?;
    Some(typed.iter().step_by(2).copied().collect::<Vec<_>>().join("/"))
}

/// `METHOD what`, where names are left out: `PUT workspaces/computes`, `POST entra/token`, `PUT blob`.
pub fn operation(request: &Request) -> String {
    let segments = request.segments();
    let first = segments.first().map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
    let second = segments.get(1).map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
    let what = match (first.as_str(), second.as_str()) {
        ("subscriptions", _) => arm_operation(&segments).unwrap_or_else(|| "subscriptions".into()),
        ("history" | "mferp", _) => {
            format!("{first}/{}", arm_operation(&segments).unwrap_or_default())
        }
        ("v2", _) => "registry/manifests".into(),
        ("oauth2" | "token", _) => format!("registry/oauth2/{second}"),
        ("blob", _) => "blob".into(),
        ("inference", _) => "inference/jobs".into(),
        (_, "oauth2") => "entra/token".into(),
        (_, "v2.0" | "discovery") => "entra/discovery".into(),
        (_, _) if request.host.contains(".blob.") => "blob".into(),
        (_, _) => first,
    };
    format!("{} {what}", request.method)
}

/// Counts over the whole log.
pub fn counters(entries: &[Entry]) -> Value {
    let mut methods = BTreeMap::<&str, u64>::new();
    let mut clients = BTreeMap::<&str, u64>::new();
    let mut operations = BTreeMap::<&str, u64>::new();
    for entry in entries {
        *methods.entry(&entry.method).or_default() += 1;
        *clients.entry(entry.client.as_deref().unwrap_or("")).or_default() += 1;
        *operations.entry(&entry.operation).or_default() += 1;
    }
    let status = |wanted: u16| entries.iter().filter(|entry| entry.status == Some(wanted)).count();
    json!({
        "requests": entries.len(), "byMethod": methods, "byClient": clients, "byOperation": operations,
        "throttled": status(429),
        "unanswered": entries.iter().filter(|entry| entry.status.is_none()).count(),
        "answerViolations": entries.iter().filter(|entry| !entry.answer_violations.is_empty()).count(),
        "contractViolations": entries.iter().filter(|entry| !entry.violations.is_empty()).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};

    #[test]
    fn operations_are_named_by_the_types_of_their_path() {
        let name = |target: &str| {
            operation(&Request::new(Method::GET, "localhost", target, HeaderMap::new(), bytes::Bytes::new()))
        };
        let ws = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w";
        assert_eq!(name(&format!("{ws}/computes/c?api-version=1")), "GET workspaces/computes");
        assert_eq!(name(&format!("{ws}/computes/c/listNodes")), "GET workspaces/computes/listNodes");
        assert_eq!(name(&format!("{ws}/codes/c/versions/1")), "GET workspaces/codes/versions");
        assert_eq!(name("/tenant/oauth2/v2.0/token"), "GET entra/token");
        assert_eq!(name("/v2/a/b/manifests/c?ns=d"), "GET registry/manifests");
        assert_eq!(name(&format!("/history/v1.0{ws}/runs/x/details")), "GET history/workspaces/runs/details");
    }
}
