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

/// Several forms at once. The API server says the words only where each form is a choice of its own.
pub(super) fn all_worded(schema: &mut Schema, words: &str, good: &[Value]) {
    let each: Vec<Value> = good.iter().map(|good| json!({"anyOf": [{"enum": [words]}, good]})).collect();
    schema.insert("allOf".into(), json!(each));
}

/// The name of a Kubernetes object.
pub(super) fn object_name(name: &mut Schema) {
    let form = json!({"pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"});
    worded(name, "the name of an object: lower-case letters, digits, - and .", &form);
}

/// A folder inside of a source.
pub(crate) fn folder(path: &mut Schema) {
    let forms = [
        json!({"pattern": "^[^/\\\\\\x00-\\x1f]([^\\\\\\x00-\\x1f]*[^/\\\\\\x00-\\x1f])?$"}),
        json!({"not": {"pattern": "(^|/)[.][.](/|$)"}}),
    ];
    all_worded(path, "a relative folder such as src/train, without .. and \\", &forms);
}

/// A version of code, as Azure's command line names it.
pub(super) fn code_version(asset: &mut Schema) {
    let form = "^(azureml:[a-zA-Z0-9][a-zA-Z0-9._-]*:[a-zA-Z0-9._-]+|(azureml:)?/subscriptions/.+/codes/[^/]+/versions/[^/]+)$";
    let words = "azureml:<name>:<version>, or the ARM id of a version of code: /subscriptions/…/codes/<name>/versions/<version>";
    worded(asset, words, &json!({"pattern": form}));
}

/// How often a server is asked.
pub(super) fn interval(schema: &mut Schema) {
    let minutes = "([1-9]|[1-9][0-9]|[1-9][0-9]{2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m";
    let form = json!({"pattern": format!("^({minutes}|([1-9]|1[0-9]|2[0-4])h)$")});
    worded(schema, "minutes or hours from 1m to 24h, such as 5m", &form);
}
