//! What is particular to each body of a step: its component, its node, and what may be wrong with it.

pub(super) mod automl;
pub(super) mod automl_rules;
mod automl_words;
pub(super) mod command;
pub(super) mod databricks;
pub(super) mod nested;
pub(super) mod parallel;
pub(super) mod raw;
pub(super) mod spark;
pub(super) mod sweep;
