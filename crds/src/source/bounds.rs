//! Bounds of sources as schemas, each with the words that the API server says of what is not within them.

use schemars::Schema;
use serde_json::{Value, json};

/// Exactly one field is set.
pub(super) fn one_field(schema: &mut Schema) {
    schema.insert("minProperties".into(), 1.into());
    schema.insert("maxProperties".into(), 1.into());
}

/// A form of text, with the words that the API server says of others.
pub(super) fn worded(schema: &mut Schema, words: &str, good: &Value) {
    schema.insert("anyOf".into(), json!([{"enum": [words]}, good]));
}

/// The name of a Kubernetes object.
pub(super) fn object_name(name: &mut Schema) {
    let form = json!({"pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"});
    worded(name, "the name of an object: lower-case letters, digits, - and .", &form);
}

/// A folder inside of a source.
pub(super) fn folder(path: &mut Schema) {
    let form = json!({"allOf": [
        {"pattern": "^[^/\\\\\\x00-\\x1f]([^\\\\\\x00-\\x1f]*[^/\\\\\\x00-\\x1f])?$"},
        {"not": {"pattern": "(^|/)[.][.](/|$)"}},
    ]});
    worded(path, "a relative folder such as src/train, without .. and \\", &form);
}
