//! `kubectl azureml`: what a person does with the operator at a terminal.
//!
//! In: files and arguments. Out: text and findings. Verbs are pure; `main.rs` alone reads the disk, writes and exits.

pub mod convert;
pub mod import;
pub mod logs;
pub mod objects;
pub mod plan;
pub mod schemas;
pub mod validate;
