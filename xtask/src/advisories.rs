//! `cargo xtask advisories`: whether a dependency has a known weakness. Fetches the database of advisories from the network, which the
//! gate does without; the hosted workflow `nightly` runs it.

use std::process::Command;

use crate::workspace::Workspace;
use crate::{installed, tools};

/// Says which dependencies have a known weakness. Needs the network.
#[derive(clap::Args)]
pub struct Arguments {}

/// Runs it.
pub fn run(_: &Arguments) -> anyhow::Result<()> {
    tools::C_COMPILER.check()?;
    let mut deny = Command::new(installed::cargo_deny()?);
    deny.args(["--locked", "--workspace", "check", "advisories"]);
    tools::run(deny.current_dir(&Workspace::load()?.root))
}
