//! The chart's configuration with everything in it is one that the operator understands. Its rights have tests of their own.

use super::compute;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::chart::{of_kind, rendered};
use azureml_e2e::{Scene, Setting};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn the_charts_configuration_is_read() -> Result<()> {
    let mut scene = Scene::set("configured", Setting::default()).await?;
    let everything = ["--values", "charts/azureml-operator/ci/everything-values.yaml"];
    let objects = tokio::task::spawn_blocking(move || rendered("everything", &everything)).await??;
    let files = of_kind(&objects, "ConfigMap")?["data"].as_object().context("no data")?;
    let text = files.values().next().and_then(Value::as_str).context("no file")?;
    // What the file says of Azure is for a real one: here it is enough that every field is understood.
    let file = scene.start.config.with_file_name("everything.yaml");
    let mounted = ["/etc/private-cloud/ca.crt", "/etc/azureml-operator-ca/ca.crt"];
    ensure!(mounted.iter().all(|file| text.contains(file)), "{text}");
    let ca = scene.azure.ca_file().display().to_string();
    std::fs::write(&file, mounted.iter().fold(text.to_owned(), |text, file| text.replace(file, &ca)))?;
    scene.start.config = file;
    let operator = scene.operator().await?;
    scene.apply_objects(&compute("")).await?;
    super::says::<MLCompute>(&scene, "cpu", "False", "ReferenceNotFound").await?;
    operator.stop()
}
