//! The shape of JSON: which members there are and of which type, whatever their values. In: values. Out: differences, as text.

use serde_json::Value;
use std::collections::BTreeSet;

/// Every member with its type, `properties.scaleSettings.maxNodeCount: number`. Null counts as absent.
#[must_use]
pub fn shape(value: &Value) -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    collect(value, "", &mut members);
    members
}

fn collect(value: &Value, path: &str, members: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => return,
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                collect(item, &format!("{path}[]"), members);
            }
            "array"
        }
        Value::Object(map) => {
            for (key, value) in map {
                collect(value, &format!("{path}.{key}"), members);
            }
            "object"
        }
    };
    members.insert(format!("{}: {kind}", path.trim_start_matches('.')));
}

/// What only one of two has: `-` the first, `+` the second.
#[must_use]
pub fn differences(first: &Value, second: &Value) -> Vec<String> {
    let (first, second) = (shape(first), shape(second));
    let only = |sign: char, these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<String> {
        these.difference(those).map(|member| format!("{sign} {member}")).collect()
    };
    [only('-', &first, &second), only('+', &second, &first)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_do_not_matter_members_and_types_do() {
        let first = json!({"a": {"b": 1}, "list": [{"x": "1"}, {"y": true}], "gone": null});
        assert!(differences(&first, &json!({"a": {"b": 2}, "list": [{"x": "", "y": false}]})).is_empty());
        let second = json!({"a": {"b": "1"}, "list": [], "more": 1});
        assert_eq!(
            differences(&first, &second),
            [
                "- a.b: number",
                "- list[].x: string",
                "- list[].y: boolean",
                "- list[]: object",
                "+ a.b: string",
                "+ more: number"
            ]
        );
    }
}
