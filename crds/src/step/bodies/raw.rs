//! A node as the service takes it: for what has no body of its own here.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A node as the service takes it, without what the step says itself: `type`, and the keys that this type has.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Raw(pub Map<String, Value>);

impl JsonSchema for Raw {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Raw".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object", "x-kubernetes-preserve-unknown-fields": true, "maxProperties": 100, "required": ["type"],
            "properties": {"type": {
                "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z][a-z0-9_]*$",
                "description": "The type of the node, such as `import` or `data_transfer`.",
            }},
        })
    }
}
