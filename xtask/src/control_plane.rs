//! `cargo xtask control-plane`: a real Kubernetes control plane until Ctrl-C, for trying things out.

use std::process::Command;

use azureml_control_plane::Binaries;

use crate::workspace::Workspace;
use crate::{programs, tools};

/// Starts a real Kubernetes control plane (or only builds it, with `--build`); `-- --help` shows its options.
#[derive(clap::Args)]
pub struct Arguments {
    /// Handed on to the program `control-plane`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    tools::C_COMPILER.check()?;
    let workspace = Workspace::load()?;
    Binaries::find()?;
    programs::build(&workspace, programs::FIRST)?;
    let mut command = Command::new(programs::path(&workspace, "control-plane"));
    tools::become_program(command.args(&arguments.arguments))
}
