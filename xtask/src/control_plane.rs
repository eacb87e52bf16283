//! `cargo xtask control-plane`: a real Kubernetes control plane until Ctrl-C, for trying things out.

use crate::tools;
use crate::workspace::Workspace;

/// Starts a real Kubernetes control plane (or only builds it, with `--build`); `-- --help` shows its options.
#[derive(clap::Args)]
pub struct Arguments {
    /// Handed on to the program `control-plane`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    tools::GO.check()?;
    let workspace = Workspace::load()?;
    let mut command = workspace.cargo(&["run", "--quiet", "--package", "azureml-control-plane", "--"]);
    tools::run(command.args(&arguments.arguments))
}
