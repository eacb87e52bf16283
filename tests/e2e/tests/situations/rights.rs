//! The operator as the chart installs it: its account's rights, and the chart's configuration with everything in it.

use crate::{compute, pipeline, ready, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLCompute, MLPipeline, MLWorkspace};
use azureml_e2e::{Scene, Setting, cluster};
use serde_json::Value;
use std::process::Command;

/// The chart, rendered by Helm.
fn rendered(arguments: &[&str]) -> Result<Vec<Value>> {
    let mut helm: Command = cluster::shared().helm()?;
    helm.arg("template").args(["azureml-operator", "charts/azureml-operator"]).args(arguments);
    let output = helm.current_dir(azureml_e2e::root()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(objects.into_iter().filter(Value::is_object).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_charts_rights_are_enough() -> Result<()> {
    let mut scene = Scene::set("rights", Setting::default()).await?;
    let namespace = scene.namespace.clone();
    let objects = tokio::task::spawn_blocking(move || rendered(&["--namespace", &namespace])).await??;
    let kinds = ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
    let rights = objects.iter().filter(|object| kinds.contains(&object["kind"].as_str().unwrap_or_default()));
    let mut account = None;
    for object in rights {
        if object["kind"] == "ServiceAccount" {
            account = object["metadata"]["name"].as_str().map(str::to_owned);
        }
        scene.apply(&object.to_string()).await?;
    }
    let account = account.context("the chart has no ServiceAccount")?;
    let identity = cluster::shared().service_account(&scene.namespace, &account).await?;
    scene.start.kubeconfig = Some(identity.kubeconfig);
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline(", publish: {endpoint: p-rights}"))).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    scene.delete_objects(&(pipeline("") + &workspace(""))).await?;
    scene.wait_gone::<MLWorkspace>("team-a").await?;
    let log = operator.tail(usize::MAX);
    ensure!(!log.contains("forbidden") && !log.contains("Forbidden"), "{log}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_charts_configuration_is_read() -> Result<()> {
    let mut scene = Scene::set("configured", Setting::default()).await?;
    let everything = ["--values", "charts/azureml-operator/ci/everything-values.yaml"];
    let objects = tokio::task::spawn_blocking(move || rendered(&everything)).await??;
    let map = objects.iter().find(|object| object["kind"] == "ConfigMap").context("no ConfigMap")?;
    let files = map["data"].as_object().context("no data")?;
    let text = files.values().next().and_then(Value::as_str).context("no file")?;
    // What the file says of Azure is for a real one: here it is enough that every field is understood.
    let file = scene.start.config.with_file_name("everything.yaml");
    let mounted = "/etc/private-cloud/ca.crt";
    ensure!(text.contains(mounted), "{text}");
    std::fs::write(&file, text.replace(mounted, &scene.azure.ca_file().display().to_string()))?;
    scene.start.config = file;
    let operator = scene.operator().await?;
    scene.apply_objects(&compute("")).await?;
    crate::says::<MLCompute>(&scene, "cpu", "False", "ReferenceNotFound").await?;
    operator.stop()
}
