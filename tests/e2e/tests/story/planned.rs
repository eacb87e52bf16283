//! `kubectl azureml plan` on the story: what it says before is what the operator then sends, and afterwards nothing is left to say.

use super::all_ready;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLEnvironment;
use azureml_e2e::{Scene, Setting, plugin};
use azureml_plan::report::is_ready;
use azureml_simulator::Entry;
use regex::Regex;
use serde_json::{Value, json};

/// What the program prints, and its exit code.
pub(super) async fn planned(scene: &Scene, arguments: &[&str]) -> Result<(String, i32)> {
    let place = ["--namespace", &scene.namespace, "--cluster-id", "test"];
    let output = plugin::run(scene, &[&["plan"], arguments, &place].concat()).await?;
    let code = output.status.code().context("it was killed")?;
    ensure!(code != 1, "{}", plugin::said(&output));
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

/// What the operator sent.
pub(super) fn sent(log: &[Entry]) -> Vec<String> {
    let is_change =
        |entry: &&Entry| entry.is_write() && entry.url.contains("/providers/") && entry.method != "POST";
    let all = log.iter().filter(is_change).map(|entry| {
        let (path, query) =
            entry.url.split_once('?').map_or((entry.url.as_str(), None), |(path, query)| (path, Some(query)));
        canonical(&entry.method, path, query, entry.json_body())
    });
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

/// The same without names that come from content: which they are is known once the image is built.
pub(super) fn blurred(requests: &[String]) -> Result<Vec<String>> {
    let hash = Regex::new("[0-9a-f]{12,}")?;
    let mut all: Vec<String> =
        requests.iter().map(|request| hash.replace_all(request, "#").into_owned()).collect();
    all.sort();
    Ok(all)
}

/// What a plan would send.
pub(super) fn said(text: &str) -> Result<Vec<String>> {
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
    let json = ["--output", "json"];
    let (whole, code) = planned(&scene, &[&named[..], &json].concat()).await?;
    assert_eq!(code, 2, "{whole}");
    let changed: Vec<Entry> = scene.azure.requests().into_iter().filter(Entry::is_write).collect();
    ensure!(changed.is_empty(), "a plan changed Azure: {changed:?}");

    // Once the image is there, every byte is known.
    let operator = scene.operator().await?;
    for file in &files[..3] {
        scene.kubectl(&["apply", "-f", file]).await?;
    }
    scene
        .wait::<MLEnvironment>("r-gbm", "ready", |object| {
            is_ready(&object.status.clone().unwrap_or_default().common.conditions)
        })
        .await?;
    let since = scene.azure.requests().len();
    let (rest, _) = planned(&scene, &[&["--with-cluster"], &named[6..], &json].concat()).await?;
    for file in &files[3..] {
        scene.kubectl(&["apply", "-f", file]).await?;
    }
    all_ready(&scene).await?;
    let log = scene.azure.requests();
    assert_eq!(said(&rest)?, sent(&log[since..]));
    assert_eq!(blurred(&said(&whole)?)?, blurred(&sent(&log))?);

    // Files alone, and the cluster's own objects: nothing is left to do.
    for arguments in [&named[..], &["--with-cluster"], &["mlpipeline/r-gbm"]] {
        let (after, code) = planned(&scene, arguments).await?;
        ensure!(code == 0 && after.contains("No changes."), "{arguments:?}: {after}");
    }
    dearer(&scene, &files[1]).await?;
    runs(&scene, &files[3]).await?;
    let (data, code) = planned(&scene, &["--with-cluster", "-f", "examples/data/in-place.yaml"]).await?;
    ensure!(code == 2 && data.contains("create data/versions"), "{data}");
    operator.stop()
}

/// What is planned for an example in which texts are replaced.
async fn changed(scene: &Scene, file: &str, changes: &[(&str, &str)]) -> Result<String> {
    let mut text = std::fs::read_to_string(azureml_e2e::root().join(file))?;
    for (from, to) in changes {
        ensure!(text.contains(from), "{file} has no {from:?}");
        text = text.replacen(from, to, 1);
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("changed.yaml");
    std::fs::write(&file, text)?;
    let file = file.to_string_lossy().into_owned();
    let (report, code) = planned(scene, &["--with-cluster", "-f", &file]).await?;
    ensure!(code == 2, "{report}");
    Ok(report)
}

/// What would cost more is said.
async fn dearer(scene: &Scene, file: &str) -> Result<()> {
    let report = changed(scene, file, &[("scale: {max: 4}", "scale: {min: 2, max: 4}")]).await?;
    ensure!(report.contains("costs more: 2 nodes run all the time"), "{report}");
    Ok(())
}

/// The job of a version that runs once is a part of the plan, though an MLRun stands between.
async fn runs(scene: &Scene, file: &str) -> Result<()> {
    let asked =
        "spec:\n  runOnChange: {inputs: {raw: 'azureml://datastores/workspaceblobstore/paths/raw/'}}\n";
    let changes = [("spec:\n", asked), ("description: Nightly", "description: Daily")];
    let report = changed(scene, file, &changes).await?;
    ensure!(report.contains("MLRun/r-gbm-") && report.contains("start jobs"), "{report}");
    Ok(())
}
