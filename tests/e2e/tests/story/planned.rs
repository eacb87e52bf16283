//! `kubectl azureml plan` on the story: what it says before is what the operator then sends, and afterwards nothing is left to say.

use super::all_ready;
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::operator::binary;
use azureml_e2e::{Scene, Setting, cluster};
use azureml_simulator::Entry;
use serde_json::{Value, json};
use std::process::Command;

/// The digest that stands for one that only a build tells.
const UNKNOWN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What the program prints, and its exit code.
async fn planned(scene: &Scene, arguments: &[&str]) -> Result<(String, i32)> {
    let mut command = Command::new(binary()?.with_file_name("kubectl-azureml"));
    command.arg("plan").args(arguments).args(["--namespace", &scene.namespace, "--cluster-id", "test"]);
    command.arg("--config").arg(&scene.start.config).current_dir(azureml_e2e::root());
    command.env("AZURE_TENANT_ID", &scene.start.tenant).env("AZURE_CLIENT_ID", &scene.start.client);
    command.env("AZURE_CLIENT_SECRET", "not-a-secret").env_remove("AZURE_FEDERATED_TOKEN_FILE");
    let kubectl = cluster::kubectl();
    let folder =
        std::path::Path::new(kubectl.get_program()).parent().context("kubectl is in no folder")?.to_owned();
    command.env("KUBECONFIG", cluster::kubeconfig()).env("PATH", folder);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let code = output.status.code().context("it was killed")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(code != 1, "{said}{}", String::from_utf8_lossy(&output.stdout));
    Ok((String::from_utf8(output.stdout)?, code))
}

/// A request without what only Azure or the clock tells.
fn canonical(method: &str, path: &str, query: Option<&str>, mut body: Value) -> String {
    for place in
        ["/properties/trigger/startTime", "/properties/codeUri", "/properties/runRequest/sourceLocation"]
    {
        if let Some(place) = body.pointer_mut(place) {
            *place = json!("…");
        }
    }
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{method} {path}{query} {body}")
}

/// What the operator sent, with the digest of the image that it built as a plan has it.
fn sent(log: &[Entry]) -> Vec<String> {
    let is_change =
        |entry: &&Entry| entry.is_write() && entry.url.contains("/providers/") && entry.method != "POST";
    let all = log.iter().filter(is_change).map(|entry| {
        let (path, query) =
            entry.url.split_once('?').map_or((entry.url.as_str(), None), |(path, query)| (path, Some(query)));
        canonical(&entry.method, path, query, entry.json_body())
    });
    let mut all: Vec<String> = all.collect();
    let digests: Vec<String> =
        all.iter().filter_map(|line| line.split("@sha256:").nth(1)?.get(..64).map(str::to_owned)).collect();
    for line in &mut all {
        for digest in &digests {
            *line = line.replace(digest, UNKNOWN).replace(&digest[..12], &UNKNOWN[..12]);
        }
    }
    all.sort();
    all
}

/// What a plan would send.
fn said(text: &str) -> Result<Vec<String>> {
    let report: Value = serde_json::from_str(text)?;
    let objects = report["objects"].as_array().context("no objects")?;
    let changes = objects.iter().flat_map(|object| object["changes"].as_array().into_iter().flatten());
    let mut all: Vec<String> = changes
        .map(|change| {
            let text = |key: &str| change[key].as_str().unwrap_or_default();
            canonical(text("method"), text("path"), change["query"].as_str(), change["body"].clone())
        })
        .collect();
    all.sort();
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_the_operator_then_sends_and_afterwards_nothing() -> Result<()> {
    let scene = Scene::set("planned", Setting::default()).await?;
    let files = ["workspace", "computes", "environment", "pipeline", "schedule"];
    let files = files.map(|file| format!("examples/r-gbm/{file}.yaml"));
    let named: Vec<&str> = files.iter().flat_map(|file| ["-f", file.as_str()]).collect();
    let (before, code) = planned(&scene, &[&named[..], &["--output", "json"]].concat()).await?;
    assert_eq!(code, 2, "{before}");
    let changed: Vec<Entry> = scene.azure.requests().into_iter().filter(Entry::is_write).collect();
    ensure!(changed.is_empty(), "a plan changed Azure: {changed:?}");

    let operator = scene.operator().await?;
    for file in &files {
        scene.kubectl(&["apply", "-f", file]).await?;
    }
    all_ready(&scene).await?;
    assert_eq!(said(&before)?, sent(&scene.azure.requests()));

    // Files alone, and the cluster's own objects: nothing is left to do.
    for arguments in [&named[..], &["--with-cluster"], &["mlpipeline/r-gbm"]] {
        let (after, code) = planned(&scene, arguments).await?;
        ensure!(code == 0 && after.contains("No changes."), "{arguments:?}: {after}");
    }
    // What would cost more is said.
    let dearer =
        std::fs::read_to_string(azureml_e2e::root().join(&files[1]))?.replace("minNodes: 0", "minNodes: 2");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("computes.yaml");
    std::fs::write(&file, dearer)?;
    let file = file.to_string_lossy().into_owned();
    let (report, code) = planned(&scene, &["--with-cluster", "-f", &file]).await?;
    ensure!(code == 2 && report.contains("costs more: 2 nodes run all the time"), "{report}");
    operator.stop()
}
