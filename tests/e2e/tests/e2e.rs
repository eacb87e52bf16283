//! What the operator promises, in one program: linking takes longer than many of these tests.
//!
//! `cargo xtask test` runs each module as a process of its own, so that it has a control plane of its own as well. Together, in
//! one process, they share a plain one; what needs another one is a program beside this.

mod crash;
mod databricks;
#[cfg(target_os = "linux")]
mod demo;
mod differential;
mod docs;
mod executed;
mod manifests;
mod observe;
mod permissions;
mod readback;
mod situations;
mod starve;
mod story;
mod tenants;
mod verdicts;

// No tests, but what some of them share.
pub(crate) mod offline;
