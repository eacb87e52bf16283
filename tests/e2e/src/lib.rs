//! The scene of end-to-end tests: a real API server shared by all tests of a binary, Azure's simulator, the real operator.
//!
//! Tests wait on watches, on the simulator's request log and on the operator's own log; they never sleep.

pub mod audit;
pub mod book;
pub mod chart;
pub mod cluster;
pub mod evidence;
pub mod git;
pub mod gitops;
pub mod image;
pub mod installed;
pub mod kubectl;
pub mod operator;
pub mod place;
pub mod relay;
pub mod scene;
pub mod storage;

pub use installed::Installed;
pub use operator::Operator;
pub use scene::{Scene, Setting};

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
