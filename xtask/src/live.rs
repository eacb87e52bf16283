//! `cargo xtask live`: the check against a subscription, done by a program of its own, which then has this terminal.
//! In: the arguments of that program. Out: what it prints. Builds it and the operator first.

use std::process::Command;

use crate::programs;
use crate::tools::{self, Tool};
use crate::workspace::Workspace;

/// The story against a workspace in Azure, by hand and never in a test: says what it costs, asks, and cleans up. `-- --help` tells more.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// As in `cargo xtask live --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

const NEEDS: &[Tool] = &[tools::C_COMPILER, tools::GO];
const PAGE: &str = "docs/src/reference/assumptions.md";

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for tool in NEEDS {
        tool.check()?;
    }
    let workspace = Workspace::load()?;
    programs::build(&workspace, &["azureml-operator", "live"])?;
    let (live, operator) =
        (programs::path(&workspace, "live"), programs::path(&workspace, "azureml-operator"));
    let mut command = Command::new(live);
    if arguments.arguments == ["--write-assumptions"] {
        command.arg("--write-assumptions").arg(workspace.root.join(PAGE));
    } else {
        command.args(&arguments.arguments).arg("--operator").arg(operator);
    }
    tools::become_program(&mut command)
}
