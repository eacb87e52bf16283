//! The aim: to read another team's image, where teams share a registry.
//!
//! Before: `image:` or `FROM` with the other team's repository did it.

use super::{granting, manifest, message, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLEnvironment, MLWorkspace};
use azureml_e2e::{Scene, Setting};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_built_for_another_namespace_is_not_taken() -> Result<()> {
    let setting = Setting { config: granting("{namespaces: ['*']}"), ..Setting::default() };
    let scene = Scene::set("read-image", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&workspace("")).await?;
    let found = ready::<MLWorkspace>(&scene, "team-a").await?;
    let registry = found["status"]["registry"]["loginServer"].as_str().unwrap_or_default().to_owned();
    let others = format!("{registry}/azureml-operator/team-b/secret-model:1");
    let since = scene.azure.requests().len();
    let given =
        manifest("MLEnvironment", "given", &format!("workspaceRef: {{name: team-a}}, image: '{others}'"));
    let built = format!(
        "workspaceRef: {{name: team-a}}, build: {{dockerfile: \"ARG BASE={others}\\nFROM $BASE\\nRUN cat /secret\\n\"}}"
    );
    scene.apply_objects(&(given + &manifest("MLEnvironment", "built", &built))).await?;
    for name in ["given", "built"] {
        let refused = says::<MLEnvironment>(&scene, name, "False", "ImageOfAnother").await?;
        ensure!(message(&refused).contains(&others), "{refused}");
    }
    let asks =
        |entry: &azureml_simulator::Entry| entry.url.contains("/v2/") || entry.url.contains("taskRuns");
    ensure!(!scene.azure.requests()[since..].iter().any(asks), "{}", scene.requests_shown(5));
    operator.stop()
}
