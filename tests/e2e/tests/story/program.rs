//! `kubectl azureml` as a person runs it, with the login of a scene and a kubectl that reaches its cluster.
//!
//! In: arguments. Out: what it prints, and its exit code. Decides nothing.

use anyhow::{Context as _, Result};
use azureml_e2e::operator::binary;
use azureml_e2e::{Scene, cluster};
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program.
pub(super) async fn run(scene: &Scene, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary()?.with_file_name("kubectl-azureml"));
    command.args(arguments).arg("--config").arg(&scene.start.config).current_dir(azureml_e2e::root());
    command.env("AZURE_TENANT_ID", &scene.start.tenant).env("AZURE_CLIENT_ID", &scene.start.client);
    command.env("AZURE_CLIENT_SECRET", "not-a-secret").env_remove("AZURE_FEDERATED_TOKEN_FILE");
    let kubectl = cluster::kubectl();
    let folder = Path::new(kubectl.get_program()).parent().context("kubectl is in no folder")?.to_owned();
    command.env("KUBECONFIG", cluster::kubeconfig()).env("PATH", folder);
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

/// All that it printed.
pub(super) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}
