//! The one loop that serves every kind: watch, pass, act, report.
//!
//! ```text
//! watch ─► relations ─► queue ─► pass ─┬─ resolve   Kubernetes   (kinds)
//!                                      ├─ wanted    pure         (azureml-plan)
//!                                      ├─ observe   Azure        (kinds, looks)
//!                                      ├─ plan      pure         (azureml-plan)
//!                                      ├─ act       Azure
//!                                      └─ report    Kubernetes
//! ```
//! It names no kind.

pub mod act;
pub mod context;
pub mod door;
pub mod ended;
pub mod events;
pub mod files;
mod guard;
mod hold;
pub mod kind;
mod leave;
pub mod list;
pub mod memory;
mod pace;
pub mod pass;
pub mod queue;
pub mod relations;
pub mod report;
pub mod shut;
pub mod watch;
pub mod weight;

pub use context::Context;
pub use kind::{Kind, Leaving, Reached, Resolved, Wait};
pub use pace::Ticks;
