//! Versions of environments, components and data: what of one that exists may change, and what must come along.

use crate::tags;
use serde_json::{Value, json};

/// What was read of an environment, component or data version, with what may change changed: a PUT that left out the image,
/// the spec or the address would lose it.
#[must_use]
pub fn changed(properties: &Value, want: &Value) -> Value {
    let keys = [
        "image",
        "condaFile",
        "build",
        "osType",
        "inferenceConfig",
        "autoRebuild",
        "isAnonymous",
        "isArchived",
        "description",
        "tags",
        "properties",
        "stage",
        "componentSpec",
        "dataType",
        "dataUri",
        "referencedUris",
    ];
    let mut body: serde_json::Map<String, Value> = keys
        .iter()
        .filter_map(|key| {
            // An environment without a conda file comes back with an empty one.
            let is_said = |value: &&Value| !value.is_null() && **value != json!("");
            Some(((*key).to_owned(), properties.get(*key).filter(is_said)?.clone()))
        })
        .collect();
    for (key, value) in want.as_object().into_iter().flatten() {
        match (body.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(there), Some(more)) if key == "tags" => tags::merge(there, more),
            (Some(there), Some(more)) => there.extend(more.clone()),
            _ => {
                body.insert(key.clone(), value.clone());
            }
        }
    }
    json!({"properties": body})
}
