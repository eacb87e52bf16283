//! The body of a component version, around what the component says.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The body of a component version.
pub(super) fn body(spec: &Value, tags: &BTreeMap<String, String>) -> Value {
    json!({"properties": {"componentSpec": spec, "isAnonymous": false, "isArchived": false, "properties": {}, "tags": tags}})
}

/// An environment as a component names it: ARM ids get a prefix.
pub(super) fn prefixed(environment: Option<&str>) -> Option<String> {
    environment.map(|id| if id.starts_with("azureml:") { id.to_owned() } else { format!("azureml:{id}") })
}
