//! `cargo xtask bench`: measures the operator on this machine; prints a table and writes JSON. Not a test: it judges nothing.
//! In: which rows. Out: what the program prints. Builds in release mode first.

use std::process::Command;

use crate::tools;
use crate::workspace::Workspace;

/// Measures the operator: many clusters, many pipelines, restarts and changes. Takes about a quarter of an hour.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only these: `a` (200 clusters), `budget` (the same with the budget of requests as shipped), `delayed` (the same with Azure's delays), `b` (1,000 clusters), `c` (50 pipelines), `buckets` (the same under ARM's limits), `nights` (1,000 schedules that fire at once), `runs` (10,000 MLRuns that have ended), `terminal` (`kubectl azureml`: its size and start, and many objects), `large` (100 pipelines with 50 MiB of code each), `many` (code of 5,000 files),
    /// `beside` (clusters of one namespace beside 100 pipelines of another),
    /// `load` (2,000 objects of 20 namespaces, one of which attacks the others for ten minutes; only when it is named, and alone),
    /// `replicas` (two of them: start, memory, takeover), `node` (the image as it is shipped, and takeover on a real node: needs root; only when it is named, and alone).
    rows: Vec<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for tool in [tools::C_COMPILER, tools::GO] {
        tool.check()?;
    }
    let workspace = Workspace::load()?;
    // With the operator, and for the whole workspace, as the bench builds what it measures: one build of what both use.
    let programs = ["--bin", "bench", "--bin", "azureml-operator"];
    let build = ["build", "--release", "--workspace", "--locked"];
    tools::run(&mut workspace.cargo(&[&build[..], &programs].concat()))?;
    let mut bench = Command::new(workspace.target.join("release/bench"));
    tools::run(bench.current_dir(&workspace.root).args(&arguments.rows))
}
