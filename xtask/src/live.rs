//! `cargo xtask live`: the check against a subscription, done by a program of its own, which then has this terminal.
//! In: the arguments of that program. Out: what it prints. Builds it and the operator first.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, anyhow, ensure};

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
    let build = ["build", "--quiet", "--workspace", "--locked", "--bin", "azureml-operator", "--bin", "live"];
    let mut build = workspace.cargo(&build);
    build.arg("--message-format=json");
    let output = build.output().context("failed to start cargo")?;
    ensure!(output.status.success(), "failed to build: {}", String::from_utf8_lossy(&output.stderr));
    let (live, operator) = (built(&output.stdout, "live")?, built(&output.stdout, "azureml-operator")?);
    let mut command = Command::new(live);
    if arguments.arguments == ["--write-assumptions"] {
        command.arg("--write-assumptions").arg(workspace.root.join(PAGE));
    } else {
        command.args(&arguments.arguments).arg("--operator").arg(operator);
    }
    // In place of this process: Ctrl-C is for that program alone, and nobody returns to the shell before it has cleaned up.
    Err(anyhow!(command.exec()).context("failed to start the check"))
}

/// The path of a program that cargo has built.
fn built(messages: &[u8], name: &str) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(messages);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut paths = messages.filter(|message| message["target"]["name"] == name);
    let path = paths.find_map(|message| message["executable"].as_str().map(str::to_owned));
    path.with_context(|| format!("cargo built no {name}"))
}
