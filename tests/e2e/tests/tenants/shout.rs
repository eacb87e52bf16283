//! The aim: to fill the log and the statuses, and to keep the operator busy with them, by errors of a megabyte.
//!
//! Before: registries with such texts made 18 MB of log in 12 s, and the lease was lost. Now: a few kilobytes for each try.

use super::{condition, granting, manifest, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::{PATIENCE, Scene, Setting};
use azureml_simulator::Entry;
use serde_json::{Value, json};

/// So many tries are waited for.
const TRIES: usize = 8;
/// The most of the log that they may add, in bytes.
const MOST: usize = TRIES * 16_000;

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_a_megabyte_are_told_in_a_few_words() -> Result<()> {
    let setting = Setting { config: granting("{namespaces: ['*']}"), ..Setting::default() };
    let scene = Scene::set("shout", setting).await?;
    let loud = json!({"match": {"method": "PUT", "path": "/computes/"}, "do": {"status": 503, "code": "Loud", "message": "loud ".repeat(200_000)}});
    scene.azure.fault(loud).map_err(anyhow::Error::msg)?;
    let operator = scene.operator().await?;
    let cluster = "workspaceRef: {name: team-a}, vmSize: Standard_DS3_v2, scale: {max: 4}";
    let mark = operator.mark();
    scene.apply_objects(&(workspace("") + &manifest("MLCompute", "cpu", cluster))).await?;
    let is_put = |entry: &&Entry| entry.method == "PUT" && entry.url.contains("/computes/");
    let tries =
        scene.azure.wait_for(PATIENCE, |log| (log.iter().filter(is_put).count() >= TRIES).then_some(()));
    tries.await.context("it gave up")?;
    let told: usize = operator.lines()[mark..].iter().map(|line| line.to_string().len()).sum();
    println!("{TRIES} errors of a megabyte: {told} bytes of log");
    ensure!(told < MOST, "{told} bytes of log");
    let object: Value = serde_json::to_value(scene.api::<MLCompute>().get("cpu").await?)?;
    let message = condition(&object, "Ready")["message"].as_str().unwrap_or_default().to_owned();
    ensure!(message.contains("loud") && message.len() < 2_500, "{} bytes: {message}", message.len());
    operator.stop()
}
