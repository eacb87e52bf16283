//! Bounds for the maps of a step.

use crate::literals;
use schemars::Schema;

/// Bounds for a map with at most 50 entries.
pub(crate) fn at_most_50(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 50.into());
}

/// Bounds for the inputs of a step.
pub(crate) fn bound_inputs(schema: &mut Schema) {
    at_most_50(schema);
    if let Some(values) = schema.get_mut("additionalProperties") {
        literals::bound(values);
    }
}

/// Bounds for environment variables.
pub(crate) fn bound_variables(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 100.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 4096.into();
    }
}

/// Bounds for a map of texts.
pub(crate) fn bound_texts(schema: &mut Schema, entries: u32, length: u32) {
    schema.insert("maxProperties".into(), entries.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = length.into();
    }
}
