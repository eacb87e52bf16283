//! The verbs as a terminal has them: arguments, what is read and written, and exit codes. What a verb means is in the library.

mod cluster;
mod completion;
mod convert;
mod files;
mod folder;
mod follow;
mod graph;
mod import;
mod logs;
mod mark;
mod open;
mod plan;
mod run;
mod schemas;
mod status;
mod validate;
mod why;

pub use self::completion::{Complete, Completion, Man};
pub use self::convert::Convert;
pub use self::follow::Follow;
pub use self::graph::Draw;
pub use self::import::Import;
pub use self::logs::Logs;
pub use self::mark::{Cancel, Named, Reconcile};
pub use self::open::Open;
pub use self::plan::Plan;
pub use self::run::Run;
pub use self::schemas::Schemas;
pub use self::status::Status;
pub use self::validate::Validate;
pub use self::why::Why;

/// Why a verb did not come to its end, and the exit code that says so.
pub struct Failed {
    /// Why.
    pub cause: anyhow::Error,
    /// The exit code.
    pub code: u8,
}

/// How a report is written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Output {
    Text,
    Json,
}

/// Whether colours are wanted: on a terminal, unless the variable `NO_COLOR` says no (no-color.org).
fn is_coloured(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
