//! The body of a component version around its spec.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is sent for a spec.
pub(super) fn body(spec: &Value, tags: &BTreeMap<String, String>) -> Value {
    json!({"properties": {"componentSpec": spec, "isAnonymous": false, "isArchived": false, "properties": {}, "tags": tags}})
}
