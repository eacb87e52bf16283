//! The aim: to have another team's run execute the attacker's command, by a component that is registered under the name that the
//! victim's will have.
//!
//! Before: the version was 48 bits of a hash, for which a second content was found in 49 s, and presence alone was enough.

use super::{granting, manifest, message, ready, says, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLPipeline;
use azureml_e2e::{Scene, Setting};
use serde_json::{Value, json};

fn pipeline(azure_name: &str) -> String {
    let environment = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    let cluster = "workspaceRef: {name: team-a}, vmSize: Standard_DS3_v2, scale: {max: 4}";
    let spec = format!(
        "workspaceRef: {{name: team-a}}, azureName: {azure_name}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}}}, steps: [{{name: only, command: 'true'}}]"
    );
    [
        manifest("MLCompute", "cpu", cluster),
        manifest("MLEnvironment", "image", environment),
        manifest("MLPipeline", "p", &spec),
    ]
    .concat()
}

/// Writes to a component version as somebody else who may use the workspace.
async fn claim(scene: &Scene, id: &str) -> Result<()> {
    let (http, token) = scene.azure_client().await?;
    let url = format!("{}{id}?api-version=2025-12-01", scene.azure.endpoint());
    let mut body: Value = http.get(&url).bearer_auth(&token).send().await?.error_for_status()?.json().await?;
    body["properties"]["tags"] = json!({"azureml-operator-owner": "test/0123456789abcdef",
        "azureml-operator-namespace": "team-b", "azureml-operator-name": "p"});
    let body = json!({"properties": body["properties"]});
    http.put(&url).bearer_auth(token).json(&body).send().await?.error_for_status()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_there_is_used_only_if_it_is_the_pipelines_own() -> Result<()> {
    let setting = Setting { config: granting("{namespaces: ['*']}"), ..Setting::default() };
    let scene = Scene::set("impersonate", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline("shared_name"))).await?;
    let made = ready::<MLPipeline>(&scene, "p").await?;
    let whole = made["status"]["current"]["componentId"].as_str().context("no component")?.to_owned();
    let (_, version) = whole.rsplit_once('/').context("no version")?;
    ensure!(version.len() == 32 && version.bytes().all(|byte| byte.is_ascii_hexdigit()), "{version}");
    operator.stop()?;
    claim(&scene, &whole).await?;
    // A new process knows nothing of what was there.
    let operator = scene.operator().await?;
    let refused = says::<MLPipeline>(&scene, "p", "False", "OwnedByAnother").await?;
    ensure!(message(&refused).contains("team-b/p"), "{refused}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_operator_generates_for_another_is_refused_at_apply() -> Result<()> {
    let scene = Scene::set("generated", Setting::default()).await?;
    let refused = scene.apply(&pipeline("team_b_pipeline_0a1b2c3d_train")).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("the operator generates")), "it is taken");
    Ok(())
}
