//! A spec that is refused: why, where, and what to write instead. Every decision may refuse one, so this file uses only the table of reasons.

use crate::reasons::Reason;
use serde::Serialize;
use std::fmt;

/// A spec that the schema accepts and that still means nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvalidSpec {
    /// Why.
    pub reason: Reason,
    /// The field.
    pub field: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl InvalidSpec {
    /// A spec that means nothing.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: Reason::INVALID_SPEC, field: field.into(), message: message.into() }
    }
}

impl fmt::Display for InvalidSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}
