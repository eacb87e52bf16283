//! Microsoft's client, run for files: `tests/sdk/differential`.
//!
//! In: files, each with its workspace, and the simulator that answers. Out: what the client says and sends for each.

use super::request::Request;
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::scene::GROUP;
use azureml_simulator::Simulator;
use futures::future::try_join_all;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use tokio::process::Command;

/// How many clients work side by side.
const CLIENTS: usize = 2;

/// What the client says of a file.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    file: String,
    /// What the file is, where it was sent.
    pub sent: Option<String>,
    /// What was asked of Azure.
    #[serde(default)]
    pub requests: Vec<Request>,
    /// Why it was not sent.
    pub refused: Option<String>,
}

/// Where the client runs: the name of its folder is the experiment of jobs that name none.
pub const HERE: &str = "no-experiment";

/// Sends files; what the client says, by file.
pub async fn send(
    azure: &Simulator,
    folder: &Path,
    files: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Said>> {
    let pairs: Vec<String> = files.iter().map(|(file, workspace)| format!("../{file}={workspace}")).collect();
    let size = pairs.len().div_ceil(CLIENTS).max(1);
    let answers = try_join_all(pairs.chunks(size).map(|part| one(azure, folder, part))).await?;
    Ok(answers
        .into_iter()
        .flatten()
        .map(|said| (said.file.trim_start_matches("../").to_owned(), said))
        .collect())
}

async fn one(azure: &Simulator, folder: &Path, pairs: &[String]) -> Result<Vec<Said>> {
    let here = folder.join(HERE);
    std::fs::create_dir_all(&here)?;
    let output = Command::new("python3")
        .arg(azureml_e2e::root().canonicalize()?.join("tests/sdk/run.py"))
        .args(["differential", "--endpoint", azure.endpoint(), "--group", GROUP])
        .args(["--tenant", azure.tenant_id(), "--subscription", azure.subscription_id(), "--ca"])
        .arg(azure.ca_file())
        .args(pairs)
        .current_dir(here)
        .output()
        .await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "Microsoft's client ends with {}: {errors}", output.status);
    // The client itself prints dots and hints.
    let lines = std::str::from_utf8(&output.stdout)?
        .lines()
        .filter_map(|line| line.find("{\"file\"").map(|at| &line[at..]));
    lines.map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}
