//! Without Kubernetes: the example as files, the same resolve, observe and plan, and statuses handed on from object to object.
//! Azure receives the very requests that the operator sends.

use super::{all_ready, told};
use crate::offline::folder::Folder;
use crate::offline::hands::{hands, pass};
use anyhow::{Result, ensure};
use azureml_e2e::scene::{GRANTS, objects};
use azureml_e2e::{PATIENCE, Setting};
use azureml_simulator::{Entry, Simulator};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// The example as files.
fn example() -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for file in ["workspace", "computes", "environment", "pipeline", "schedule"] {
        let path = azureml_e2e::root().join(format!("examples/r-gbm/{file}.yaml"));
        for object in objects(&std::fs::read_to_string(path)?)? {
            all.push(serde_json::to_value(object)?);
        }
    }
    Ok(all)
}

/// What changed Azure: method, address and body, in an order that does not depend on what was first.
fn writes(log: &[Entry]) -> Vec<String> {
    let mut all: Vec<String> = log.iter().filter(|entry| entry.is_write()).map(shown).collect();
    all.sort();
    all
}

/// A request without what is another each time: where files are uploaded to, and when a schedule begins.
fn shown(entry: &Entry) -> String {
    let body = entry.json_body();
    let mut body = if body.is_string() { json!("…") } else { body };
    for place in
        ["/properties/trigger/startTime", "/properties/codeUri", "/properties/runRequest/sourceLocation"]
    {
        if let Some(place) = body.pointer_mut(place) {
            *place = json!("…");
        }
    }
    let (path, query) = entry.url.split_once('?').unwrap_or((&entry.url, ""));
    let file = path.rsplit('/').next().unwrap_or_default();
    let path = match file.rsplit_once(".tar.") {
        _ if path.contains("/providers/") => format!("{path}?{query}"),
        // The registry chooses the name of the archive.
        Some((_, kind)) => format!(".../*.tar.{kind}"),
        None => format!(".../{file}"),
    };
    format!("{} {path} {body}", entry.method)
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_receives_the_same_from_files_as_from_the_operator() -> Result<()> {
    let (scene, operator) = told("from-files").await?;
    all_ready(&scene).await?;
    operator.stop()?;
    let wanted = writes(&scene.azure.requests());

    let azure =
        Simulator::start(Setting::default().azure).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let (hands, folder) = (hands(&azure, "test", GRANTS)?, Folder::of(&scene.namespace, example()?)?);
    let until = Instant::now() + PATIENCE;
    let mut beat = tokio::time::interval(Duration::from_millis(100));
    loop {
        beat.tick().await;
        ensure!(Instant::now() < until, "they are not ready: {:#?}", folder.told());
        let parts = pass(&hands, &folder, &folder.workspaces).await
            & pass(&hands, &folder, &folder.computes).await
            & pass(&hands, &folder, &folder.environments).await;
        if parts
            & pass(&hands, &folder, &folder.pipelines).await
            & pass(&hands, &folder, &folder.schedules).await
        {
            break;
        }
    }
    let found = writes(&azure.requests());
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|write| !other.contains(write)).cloned().collect()
    };
    assert_eq!((only(&found, &wanted), only(&wanted, &found)), (Vec::new(), Vec::new()));
    assert_eq!(found.len(), wanted.len());
    Ok(())
}
