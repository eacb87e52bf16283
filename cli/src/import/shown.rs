//! What Azure shows of anything, read one by one: texts, truths, tags, names, and what belongs into no file.
//!
//! In: a part of a body. Out: values. Decides nothing.

use crate::convert::out::{Map, Out};
use azureml_plan::owner;
use serde_json::Value;

/// What the note of every paused object begins with.
pub const READS: &str = "While it is paused, nothing is changed in Azure.";

/// The name of the asset of a version.
#[must_use]
pub fn asset(id: &str) -> String {
    let mut parts = id.rsplit('/').skip(2);
    parts.next().unwrap_or_default().to_owned()
}

/// The tags that are the user's.
#[must_use]
pub fn user_tags(tags: &Value) -> Map {
    let own = [owner::OWNER, owner::NAMESPACE, owner::NAME];
    let tags = tags.as_object().into_iter().flatten();
    let tags = tags.filter(|(key, _)| !own.iter().any(|ours| key.eq_ignore_ascii_case(ours)));
    tags.filter_map(|(key, value)| Some((key.clone(), Out::from(value.as_str()?)))).collect::<Map>().sorted()
}

/// A text that says something.
#[must_use]
pub fn said(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

/// Whether a value says something.
#[must_use]
pub fn is_said(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A truth as Azure writes it: `true`, `"True"`.
#[must_use]
pub fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}
