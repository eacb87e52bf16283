//! Values that several parts of a search have: a number or `auto`, and a part of a whole.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A whole number, or `auto`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AutoOr {
    /// A number.
    Number(i64),
    /// `auto`.
    Auto(String),
}

impl JsonSchema for AutoOr {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "AutoOr".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-int-or-string": true, "minLength": 4, "maxLength": 4, "pattern": "^auto$",
            "minimum": 0, "maximum": 1_000_000})
    }
}

/// Bounds for a part of a whole. The API server compares whole numbers with whole bounds, so the ends are refused by the plan.
pub(super) fn bound_part(schema: &mut Schema) {
    schema.insert("minimum".into(), 0.into());
    schema.insert("maximum".into(), 1.into());
}
