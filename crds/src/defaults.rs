//! Defaults of inputs: what one may be for each type, as a schema, since CEL cannot see an untyped field.
//!
//! In: nothing. Out: checks beside the properties of an input, whose messages are words and no patterns.

use crate::literals;
use serde_json::{Value, json};

/// The literal types of inputs. For each what a `default` may be, and the words that the API server says otherwise: a schema of
/// `enum` stands before it for its message.
const FITS: [(&str, &str, &str); 4] = [
    (
        "integer",
        "a whole number of at most 18 digits",
        r#"{"pattern": "^-?[0-9]{1,18}$", "multipleOf": 1, "minimum": -999999999999999999, "maximum": 999999999999999999}"#,
    ),
    (
        "number",
        "a number such as 0.5 or 1e-3, in quotes where it has more than 18 digits",
        r#"{"pattern": "^-?[0-9]{1,300}([.][0-9]{1,300})?([eE][+-]?[0-9]{1,2})?$", "minimum": -999999999999999999, "maximum": 999999999999999999}"#,
    ),
    ("boolean", "true or false", r#"{"enum": [true, false, "true", "false", "True", "False"]}"#),
    // Only a text is shorter than this.
    ("string", literals::IS_TEXT, r#"{"not": {"minLength": 1000000}}"#),
];
const DATA: [&str; 6] = ["uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"];

/// The checks that a default fits the type of its input: CEL cannot see an untyped field, and the derive macros would
/// move `properties` out of `anyOf`, so they are added afterwards.
pub(crate) fn default_checks() -> Result<Value, serde_json::Error> {
    let mut checks =
        vec![default_is(&DATA, "none: a data input takes path", &json!({"maxLength": 0, "enum": [""]}))];
    for (name, words, fits) in FITS {
        if name != "boolean" {
            checks.push(default_is_no_boolean(name, words));
        }
        checks.push(default_is(&[name], words, &serde_json::from_str(fits)?));
    }
    let bounds = json!({"minLength": 1, "maxLength": literals::LONGEST});
    checks.push(json!({"anyOf": [{"properties": {"default": bounds}}, {"properties": {"type": {"not": {"enum": ["string"]}}}}]}));
    checks.extend(literals::checks().iter().map(|(words, good)| default_is(&["string"], words, good)));
    Ok(Value::Array(checks))
}

/// A default fits, or the input is of another type than these. The server shows the branch that holds longest, of equals the first:
/// the words come first, and a `not` fails early.
fn default_is(types: &[&str], words: &str, fits: &Value) -> Value {
    json!({"anyOf": [{"properties": {"default": {"enum": [words]}}}, {"properties": {"default": fits}},
        {"properties": {"type": {"not": {"enum": types}}}}]})
}

/// A default is neither true nor false, or the input is of another type. Of a boolean the server shows what it says of `type`.
fn default_is_no_boolean(name: &str, words: &str) -> Value {
    json!({"anyOf": [{"properties": {"type": {"enum": [format!("boolean (or as default {words})")]}}},
        {"properties": {"default": {"not": {"enum": [true, false]}}}}, {"properties": {"type": {"not": {"enum": [name]}}}}]})
}
