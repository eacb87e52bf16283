//! `cargo xtask gitops`: the operator's objects in the hands of the real GitOps tools.
//! In: which tools. Out: what the tests, or the program for Argo CD, print. Builds what is missing, with progress.

use std::process::Command;

use crate::workspace::Workspace;
use crate::{commands, programs, tools};

/// Flux, kstatus and the health scripts, as the step `gitops` of `cargo xtask test` runs them.
#[derive(clap::Args)]
pub struct Arguments {
    /// Argo CD instead: its own code on every state and on every object, then the whole of it syncing the examples.
    /// Needs root, redis-server and socat, and builds for about eight minutes the first time.
    #[arg(long)]
    argo: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for tool in [tools::C_COMPILER, tools::GO, tools::GIT] {
        tool.check()?;
    }
    let workspace = Workspace::load()?;
    if arguments.argo {
        for tool in [tools::REDIS, tools::SOCAT, tools::OWN_NETWORK] {
            tool.check()?;
        }
        programs::build(&workspace, &["argo", "azureml-operator"])?;
        let mut argo = Command::new(programs::path(&workspace, "argo"));
        return tools::run(argo.current_dir(&workspace.root));
    }
    commands::each(&workspace, commands::GITOPS).iter_mut().try_for_each(tools::run)
}
