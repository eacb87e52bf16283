//! The scene of end-to-end tests: a real API server shared by all tests of a process, Azure's simulator, the real operator.
//!
//! Tests wait on watches, on the simulator's request log and on the operator's own log; they never sleep.

pub mod audit;
pub mod book;
pub mod certificate;
pub mod chart;
pub mod cluster;
pub mod evidence;
pub mod flux;
pub mod git;
pub mod git_server;
pub mod gitops;
pub mod image;
pub mod installed;
pub mod kubectl;
mod log;
pub mod operator;
pub mod place;
pub mod plugin;
pub mod relay;
pub mod said;
pub mod scene;
pub mod storage;
mod tunnel;
mod waits;

pub use installed::Installed;
pub use operator::Operator;
pub use scene::{Scene, Setting};

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long anything may take before a test gives up: long, since a busy machine is no fault and a test that passes never waits for it.
pub const PATIENCE: Duration = Duration::from_mins(4);

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Asks for an Azure that speaks HTTP/1.1 alone, as behind many proxies, where it is set; it offers HTTP/2 otherwise.
pub const HTTP1: &str = "AZUREML_E2E_HTTP1";

/// Whether [`HTTP1`] is set.
#[must_use]
pub fn is_http1() -> bool {
    std::env::var_os(HTTP1).is_some()
}
