//! `cargo xtask demo`: the story on this machine, told by a program of the end-to-end tests.
//! In: where to tell it, and whether to stay. Out: what the program prints. Builds what is missing, with progress.

use std::path::PathBuf;
use std::process::Command;

use azureml_control_plane::Binaries;

use crate::programs;
use crate::tools::{self, Tool};
use crate::workspace::Workspace;

/// Shows the whole story: a real API server, a simulated Azure, the operator. About half a minute once everything is built.
#[derive(clap::Args)]
pub struct Arguments {
    /// Leave everything running at the end, and print how to look at it.
    #[arg(long)]
    keep: bool,
    /// Install the operator's image by Helm on a real node of this machine. Needs root, cgroups and a few packages.
    #[arg(long)]
    node: bool,
    /// Tell it on the cluster of this kubeconfig's current context. Says before what it makes there, asks, and removes it.
    #[arg(long, value_name = "FILE", conflicts_with = "node")]
    kubeconfig: Option<PathBuf>,
    /// With --kubeconfig: do not ask.
    #[arg(long, requires = "kubeconfig")]
    yes: bool,
}

const NEEDS: &[Tool] = &[tools::C_COMPILER, tools::PYTHON];

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for tool in NEEDS {
        tool.check()?;
    }
    let workspace = Workspace::load()?;
    // First, since it is what may be missing: nobody is to learn that after minutes of compiling.
    Binaries::find()?;
    programs::build(&workspace, programs::FIRST)?;
    let mut demo = Command::new(programs::path(&workspace, "demo"));
    demo.current_dir(&workspace.root);
    for (is_given, flag) in [(arguments.keep, "--keep"), (arguments.node, "--node"), (arguments.yes, "--yes")]
    {
        if is_given {
            demo.arg(flag);
        }
    }
    if let Some(kubeconfig) = &arguments.kubeconfig {
        // The program runs in the root of the project, wherever the user is.
        demo.arg("--kubeconfig").arg(std::path::absolute(kubeconfig)?);
    }
    tools::become_program(&mut demo)
}
