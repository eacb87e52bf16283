//! What a component takes and gives: read from its `componentSpec`, which is the CLI's YAML as JSON.

use crate::ml::assets::Version;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One input of a component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    /// Its type: `string`, `integer`, `number`, `boolean` or a type of data.
    pub kind: String,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it is when it is left out.
    pub default: Option<String>,
    /// The values it may have, when they are listed.
    pub values: Vec<String>,
    /// The least number.
    pub min: Option<f64>,
    /// The greatest number.
    pub max: Option<f64>,
}

impl Input {
    /// Whether its value is text on the wire, and not data at a URI.
    pub fn is_literal(&self) -> bool {
        ["string", "integer", "number", "boolean"].contains(&self.kind.as_str())
    }
}

/// A component as its caller sees it.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// The type: `command`, `pipeline`, …
    pub kind: String,
    /// Inputs by name.
    pub inputs: BTreeMap<String, Input>,
    /// The types of outputs by name.
    pub outputs: BTreeMap<String, String>,
    /// Whether the same inputs always give the same outputs.
    pub deterministic: bool,
}

/// A scalar of a spec as the wire writes literals.
pub fn scalar(value: &Value) -> Option<String> {
    if value.is_null() || value.is_object() || value.is_array() {
        return None;
    }
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn input(spec: &Value) -> Input {
    let number = |key: &str| {
        spec.get(key)
            .and_then(|value| value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok())))
    };
    Input {
        kind: crate::json::text(spec, "/type").to_owned(),
        optional: spec.get("optional").and_then(scalar).is_some_and(|text| text.eq_ignore_ascii_case("true")),
        default: spec.get("default").and_then(scalar),
        values: spec.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(scalar).collect(),
        min: number("min"),
        max: number("max"),
    }
}

fn of<T>(spec: &Map<String, Value>, key: &str, read: impl Fn(&Value) -> T) -> BTreeMap<String, T> {
    let map = spec.get(key).and_then(Value::as_object);
    map.into_iter().flatten().map(|(name, value)| (name.clone(), read(value))).collect()
}

impl Interface {
    /// The interface of a registered component.
    pub fn of(version: &Version) -> Self {
        let spec = version.properties.get("componentSpec").and_then(Value::as_object);
        spec.map(Self::read).unwrap_or_default()
    }

    fn read(spec: &Map<String, Value>) -> Self {
        let text = |key: &str| spec.get(key).and_then(scalar);
        Self {
            kind: text("type").unwrap_or_default(),
            inputs: of(spec, "inputs", input),
            outputs: of(spec, "outputs", |output| crate::json::text(output, "/type").to_owned()),
            deterministic: text("is_deterministic").is_none_or(|text| text.eq_ignore_ascii_case("true")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limits_and_defaults_are_read_as_text_or_numbers() {
        let spec = json!({ "type": "command", "inputs": {
            "n": { "type": "integer", "default": "3", "min": "1", "max": 5, "optional": true },
            "mode": { "type": "string", "enum": ["fast", "full"] } },
            "outputs": { "o": { "type": "uri_folder" } } });
        let interface = Interface::read(spec.as_object().unwrap());
        let n = &interface.inputs["n"];
        assert_eq!((n.default.as_deref(), n.min, n.max, n.optional), (Some("3"), Some(1.0), Some(5.0), true));
        assert_eq!(interface.inputs["mode"].values, ["fast", "full"]);
        assert!(interface.deterministic, "components are deterministic unless they say otherwise");
    }
}
