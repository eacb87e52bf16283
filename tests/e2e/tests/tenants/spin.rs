//! The aim: to make the operator work without end for an object of the attacker's, by a registry that never keeps its word.
//!
//! Before: an image whose tag has a digest, and whose digest is then unknown, was registered anew at once, 150 times in 30 s.

use super::{granting, manifest, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::{PATIENCE, Scene, Setting};
use azureml_simulator::Entry;
use jiff::SignedDuration;
use serde_json::json;

/// More passes than may follow each other at once.
const SOME: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_never_keeps_its_word_is_asked_less_and_less() -> Result<()> {
    let setting = Setting { config: granting("{namespaces: ['*']}"), ..Setting::default() };
    let scene = Scene::set("spin", setting).await?;
    let unknown = json!({"match": {"method": "HEAD", "path": "/manifests/sha256:"}, "do": {"status": 404, "code": "MANIFEST_UNKNOWN"}});
    scene.azure.fault(unknown).map_err(anyhow::Error::msg)?;
    let operator = scene.operator().await?;
    let image = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    scene.apply_objects(&(workspace("") + &manifest("MLEnvironment", "image", image))).await?;
    let is_put = |entry: &&Entry| entry.operation == "PUT workspaces/environments/versions";
    let puts = scene.azure.wait_for(PATIENCE, |log| {
        let times: Vec<_> = log.iter().filter(is_put).map(|entry| entry.time).collect();
        (times.len() >= SOME).then_some(times)
    });
    let puts = puts.await.context("it gave up")?;
    // The configuration of tests waits 2 s at most.
    let last = puts[SOME - 1].duration_since(puts[SOME - 2]);
    ensure!(last > SignedDuration::from_secs(1), "{last:?} between the last two of {puts:?}");
    operator.stop()
}
