//! The simulated storage account as folders on this machine: data is put there, results and logs are read from there.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};

/// The folder of a container, by how its name begins.
fn container(simulator: &Path, begins: &str) -> Result<PathBuf> {
    let accounts = std::fs::read_dir(simulator.join("blob")).context("the simulator has no blobs")?;
    let containers =
        accounts.flatten().filter_map(|account| std::fs::read_dir(account.path()).ok()).flatten().flatten();
    let found = containers
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(begins)));
    found.with_context(|| format!("there is no container {begins}"))
}

/// The folder of the default datastore.
///
/// # Errors
/// When there is none.
pub fn datastore(simulator: &Path) -> Result<PathBuf> {
    container(simulator, "azureml-blobstore")
}

/// Puts the sample data of the examples where their pipelines read it.
///
/// # Errors
/// When it cannot be copied.
pub fn put_raw_data(simulator: &Path) -> Result<()> {
    let raw = datastore(simulator)?.join("raw");
    std::fs::create_dir_all(&raw)?;
    std::fs::copy(crate::root().join("examples/data/raw/houses.csv"), raw.join("houses.csv"))?;
    Ok(())
}

/// What a step wrote to its output.
#[must_use]
pub fn log(simulator: &Path, run: &str) -> Option<String> {
    let file = format!("ExperimentRun/dcid.{run}/user_logs/std_log.txt");
    let artifacts = container(simulator, "azureml").ok()?;
    let account = artifacts.parent()?;
    let containers = std::fs::read_dir(account).ok()?.flatten();
    containers.map(|entry| entry.path().join(&file)).find_map(|path| std::fs::read_to_string(path).ok())
}
