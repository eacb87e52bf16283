//! Small helpers over JSON values: merge patches, and reading by path.

use serde_json::Value;

/// Applies a JSON merge patch (RFC 7396) to `target`.
pub fn merge(target: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(map) = target.as_object_mut() else { return };
    for (key, value) in changes {
        if value.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Makes the values of a map text, as Azure keeps tags and properties.
pub fn texts(map: Option<&mut Value>) {
    for value in map.and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut()) {
        if value.is_number() || value.is_boolean() {
            *value = Value::String(value.to_string());
        }
    }
}

/// The text at a JSON pointer, or an empty one.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_changes_removes_and_adds() {
        let mut value = json!({ "a": { "b": 1, "c": 2 }, "d": [1] });
        merge(&mut value, &json!({ "a": { "b": null, "e": { "f": 3 } }, "d": [2, 3] }));
        assert_eq!(value, json!({ "a": { "c": 2, "e": { "f": 3 } }, "d": [2, 3] }));
    }
}
