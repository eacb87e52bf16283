//! Scalars as Azure ML stores them. Defaults of a component and values of a job are written alike, so this file uses neither.

use serde_json::Value;

/// A scalar as Azure ML stores it: text, with `True` and `False` for booleans.
#[must_use]
pub fn literal(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
