//! `cargo xtask bench`: measures the operator on this machine; prints a table and writes JSON. Not a test: it judges nothing.
//! In: which rows. Out: what the program prints. Builds in release mode first.

use crate::tools;
use crate::workspace::Workspace;

/// Measures the operator: many clusters, many pipelines, restarts and changes. Takes about a quarter of an hour.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only these: `a` (200 clusters), `delayed` (the same with Azure's delays), `b` (1,000 clusters), `c` (50 pipelines), `buckets` (the same under ARM's limits),
    /// `replicas` (two of them: start, memory, takeover), `node` (the image as it is shipped, and takeover on a real node: needs root; only when it is named, and alone).
    rows: Vec<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for tool in [tools::C_COMPILER, tools::GO] {
        tool.check()?;
    }
    let workspace = Workspace::load()?;
    let mut bench =
        workspace.cargo(&["run", "--release", "--package", "azureml-e2e", "--bin", "bench", "--"]);
    tools::run(bench.args(&arguments.rows))
}
