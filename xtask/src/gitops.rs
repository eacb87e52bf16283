//! `cargo xtask gitops`: the operator's objects in the hands of the real GitOps tools.
//! In: nothing. Out: what the tests print. Builds what is missing, with progress.

use crate::workspace::Workspace;
use crate::{steps, tools};

/// Flux, kstatus and the health scripts, as the step `gitops` of `cargo xtask test` runs them.
#[derive(clap::Args)]
pub struct Arguments {}

/// Runs it.
pub fn run(_: &Arguments) -> anyhow::Result<()> {
    for tool in [tools::C_COMPILER, tools::GO, tools::GIT] {
        tool.check()?;
    }
    let workspace = Workspace::load()?;
    tools::run(&mut steps::gitops(&workspace))
}
