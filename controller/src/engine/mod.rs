//! The one loop that serves every kind: watch, pass, act, report.
//!
//! ```text
//! watch ─► relations ─► queue ─► pass ─┬─ resolve   pure         (azureml-plan)
//!                                      ├─ wanted    pure         (azureml-plan)
//!                                      ├─ observe   Azure        (azureml-observe)
//!                                      ├─ plan      pure         (azureml-plan)
//!                                      ├─ act       Azure        (azureml-observe)
//!                                      └─ report    Kubernetes
//! ```
//! It names no kind.

mod change;
pub mod context;
mod delays;
mod delete;
pub mod ended;
pub mod events;
mod failures;
pub mod finalizer;
mod fingerprint;
pub mod followed;
pub mod followed_flux;
pub mod followed_namespaces;
mod guard;
mod hold;
mod holder;
mod join;
pub mod kind;
pub mod list;
pub mod memory;
mod metadata;
pub mod namespace_labels;
mod pace;
pub mod pass;
pub mod queue;
pub mod reach;
pub mod relations;
pub mod report;
pub mod shut;
pub mod sources;
mod ticks;
pub mod watch;
pub mod weight;

pub use context::Context;
pub use kind::Kind;
pub use ticks::Ticks;
