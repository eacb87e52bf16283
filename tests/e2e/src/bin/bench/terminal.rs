//! `kubectl azureml` at a terminal: how large it is, how soon it starts, and how long it takes for many objects.

use crate::clusters;
use crate::figures::Figures;
use crate::measure::{Budget, azure, number, requests, scene};
use anyhow::{Result, ensure};
use azureml_e2e::scene::{GROUP, SUBSCRIPTION, WORKSPACE};
use azureml_e2e::{Scene, plugin};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Output;
use std::time::{Duration, Instant};

/// How often it is started.
const STARTS: usize = 100;
/// How many assets are made at once, before anything is measured.
const AT_ONCE: usize = 16;

/// What a call took, and what it printed.
async fn timed(scene: &Scene, arguments: &[&str]) -> Result<(f64, Output)> {
    let start = Instant::now();
    let output = plugin::run(scene, arguments).await?;
    Ok((start.elapsed().as_secs_f64(), output))
}

/// Its size, its start, and what it takes for many objects.
pub async fn at_a_terminal(figures: &mut Figures) -> Result<()> {
    let bytes = std::fs::metadata(plugin::program()?)?.len();
    figures.take("the plugin: size of the program".to_owned(), "MB", number(usize::try_from(bytes)?) / 1e6);
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let start = Instant::now();
        ensure!(plugin::command(&["--version"])?.output()?.status.success(), "it does not start");
        starts.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    figures.take_all("the plugin: start to end of --version", "ms", &starts);
    validated(figures, 1000)?;
    planned(figures, 200).await?;
    imported(figures, 1000).await
}

/// Pipelines, each with the rules of two steps.
fn pipelines(count: usize) -> String {
    let one = |number| {
        let spec = json!({
            "workspaceRef": {"name": "team-a"}, "inputs": {"trees": {"type": "integer", "default": number}},
            "defaults": {"compute": {"name": "cpu-one"}, "environment": {"id": "azureml://registries/azureml/environments/sklearn-1.5/versions/1"}},
            "steps": [
                {"name": "prepare", "command": "prepare > ${{outputs.kept}}/x", "outputs": {"kept": {"type": "uri_folder"}}},
                {"name": "train", "r": {"script": "train.R", "args": ["${{inputs.trees}}", "${{inputs.data}}"]}, "code": {"files": {"train.R": "print(1)\n"}},
                 "inputs": {"trees": "${{parent.inputs.trees}}", "data": "${{parent.jobs.prepare.outputs.kept}}"}},
            ],
        });
        let metadata = json!({"name": format!("p{number}")});
        json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLPipeline", "metadata": metadata, "spec": spec}).to_string()
    };
    (0..count).map(one).collect::<Vec<_>>().join("\n---\n")
}

/// Offline.
fn validated(figures: &mut Figures, count: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("all.yaml");
    std::fs::write(&file, pipelines(count))?;
    let file = file.to_string_lossy().into_owned();
    let start = Instant::now();
    let output = plugin::command(&["validate", "-f", &file])?.output()?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(output.status.success(), "{}", plugin::said(&output));
    figures.take(format!("validate of {count} pipelines"), "s", seconds);
    Ok(())
}

/// An Azure as slow as a recorded one, under ARM's limits.
fn slow() -> azureml_simulator::Options {
    let mut azure = azure(true);
    let delay = |method: &str, millis| (method.to_owned(), Duration::from_millis(millis));
    azure.latency = BTreeMap::from([delay("PUT", 2350), delay("GET", 500)]);
    azure
}

/// Clusters of which Azure has none.
async fn planned(figures: &mut Figures, count: usize) -> Result<()> {
    let scene = scene(slow(), "10m", Budget::Default).await?;
    let folder = tempfile::tempdir()?;
    let workspace = std::fs::read_to_string(azureml_e2e::root().join("examples/r-gbm/workspace.yaml"))?;
    let file = folder.path().join("all.yaml");
    std::fs::write(&file, format!("{workspace}\n{}", clusters::manifests(count)))?;
    let file = file.to_string_lossy().into_owned();
    let (seconds, output) = timed(&scene, &["plan", "-f", &file, "--cluster-id", "bench"]).await?;
    ensure!(output.status.code() == Some(2), "{}", plugin::said(&output));
    let what = format!("plan of {count} clusters, GET 0.5 s");
    figures.take(what.clone(), "s", seconds);
    figures.take(format!("{what}: requests to Azure"), "", number(requests(&scene, ..).len()));
    Ok(())
}

/// A workspace with many versions of data, of many names.
async fn imported(figures: &mut Figures, count: usize) -> Result<()> {
    let quick = scene(azure(false), "10m", Budget::Default).await?;
    let (http, token) = quick.azure_client().await?;
    let place = format!(
        "{}/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}",
        quick.azure.endpoint()
    );
    let made = stream::iter(0..count).map(async |number| {
        let uri = format!("azureml://datastores/workspaceblobstore/paths/{number}/");
        let body = json!({"properties": {"dataType": "uri_folder", "dataUri": uri}});
        let url = format!("{place}/data/d{number}/versions/1?api-version=2024-04-01");
        let answer = http.put(url).bearer_auth(&token).json(&body).send().await?;
        Ok::<Value, anyhow::Error>(answer.error_for_status()?.json().await?)
    });
    made.buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
    let since = quick.azure.requests().len();
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out").to_string_lossy().into_owned();
    let of = ["--workspace", WORKSPACE, "--subscription", SUBSCRIPTION, "--resource-group", GROUP];
    let (seconds, output) = timed(&quick, &[&["import", "--out", &out], &of[..]].concat()).await?;
    ensure!(output.status.success(), "{}", plugin::said(&output));
    figures.take(format!("import of {count} data assets, default budget"), "s", seconds);
    let asked = number(requests(&quick, since..).len());
    figures.take(format!("import of {count} data assets: requests to Azure"), "", asked);
    Ok(())
}
