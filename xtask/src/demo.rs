//! `cargo xtask demo`: the story on this machine, told by a program of the end-to-end tests.
//! In: whether to stay. Out: what the program prints. Builds what is missing, with progress.

use crate::tools::{self, Tool};
use crate::workspace::Workspace;

/// Shows the whole story on this machine: a real API server, a simulated Azure, the operator. About half a minute once everything is built.
#[derive(clap::Args)]
pub struct Arguments {
    /// Leave everything running at the end, and print how to look at it.
    #[arg(long)]
    keep: bool,
}

const NEEDS: &[Tool] = &[tools::C_COMPILER, tools::GO, tools::PYTHON];

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for tool in NEEDS {
        tool.check()?;
    }
    let workspace = Workspace::load()?;
    let mut demo = workspace.cargo(&["run", "--quiet", "--package", "azureml-e2e", "--bin", "demo", "--"]);
    if arguments.keep {
        demo.arg("--keep");
    }
    tools::run(&mut demo)
}
