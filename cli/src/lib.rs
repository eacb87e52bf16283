//! `kubectl azureml`: what a person does with the operator at a terminal.
//!
//! In: files, objects and arguments. Out: text and findings. Verbs are pure; `main.rs` alone reads the disk, asks kubectl, writes and exits.

pub mod clean;
pub mod convert;
pub mod follow;
pub mod graph;
pub mod import;
pub mod inputs;
pub mod launch;
pub mod logs;
pub mod named;
pub mod objects;
pub mod plan;
pub mod report;
pub mod said;
pub mod schemas;
pub mod status;
pub mod thing;
pub mod validate;
pub mod why;
pub mod words;
