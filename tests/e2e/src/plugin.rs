//! `kubectl azureml` as a person runs it: with the login of a scene, and a kubectl that reaches its cluster.
//!
//! In: arguments. Out: what it prints, and its exit code. Decides nothing.

use crate::operator::binary;
use crate::{Scene, cluster};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program, of the same build as the operator.
///
/// # Errors
/// When it cannot be built.
pub fn program() -> Result<PathBuf> {
    Ok(binary()?.with_file_name("kubectl-azureml"))
}

/// The program with a kubectl before all others, and without a login to Azure.
///
/// # Errors
/// When it cannot be built.
pub fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.args(arguments).current_dir(crate::root());
    let kubectl = cluster::kubectl();
    let folder = Path::new(kubectl.get_program()).parent().context("kubectl is in no folder")?;
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").context("there is no PATH")?);
    command.env("KUBECONFIG", cluster::kubeconfig()).env("PATH", path);
    Ok(command)
}

/// Runs the program with the login of a scene, and waits until it has ended.
///
/// # Errors
/// When it cannot be run.
pub async fn run(scene: &Scene, arguments: &[&str]) -> Result<Output> {
    let mut command = command(arguments)?;
    command.arg("--config").arg(&scene.start.config);
    command.env("AZURE_TENANT_ID", &scene.start.tenant).env("AZURE_CLIENT_ID", &scene.start.client);
    command.env("AZURE_CLIENT_SECRET", "not-a-secret").env_remove("AZURE_FEDERATED_TOKEN_FILE");
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

/// All that it printed.
#[must_use]
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}
