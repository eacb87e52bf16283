//! Objects of Kubernetes as JSON: what their conditions say, and how a merge patch changes them.

use serde_json::{Value, json};

/// The reason that an object gives for its state.
pub(super) fn reason(object: &Value) -> &str {
    condition(object, "Ready")["reason"].as_str().unwrap_or_default()
}

/// A condition of an object.
pub(super) fn condition<'a>(object: &'a Value, r#type: &str) -> &'a Value {
    let all = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|condition| condition["type"] == r#type).unwrap_or(&Value::Null)
}

/// RFC 7386.
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return into.clone_from(patch) };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            into.as_object_mut().map(|object| object.remove(name));
        } else {
            merge(&mut into[name], value);
        }
    }
}
