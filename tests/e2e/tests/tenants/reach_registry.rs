//! The aim: to build in another team's registry with the operator's identity.
//!
//! Before: a workspace learned the registry under an application of the attacker's own; with the identity removed, what it had learned
//! stayed in `status`, and the operator built there. And a grant's `registries` did not ask about the workspace's own registry.

use super::{granting, manifest, message, patch, patch_status, ready, says, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLEnvironment, MLWorkspace};
use azureml_e2e::scene::GROUP;
use azureml_e2e::{Scene, Setting};
use azureml_simulator::WorkspaceSpec;
use serde_json::json;

const BUILT: &str = "workspaceRef: {name: team-a}, build: {dockerfile: \"FROM r-base:4.4\\nRUN true\\n\"}";
const VICTIM: &str = "victimsregistry";

fn registry(name: &str) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/{GROUP}/providers/Microsoft.ContainerRegistry/registries/{name}",
        super::SUBSCRIPTION
    )
}

/// A scene whose namespaces may build in `own*`, beside a workspace of another team with its registry.
async fn scene(name: &str) -> Result<Scene> {
    let mut setting = Setting {
        config: granting("{namespaces: ['*'], workspaces: [mlw-team-a], registries: ['own*']}"),
        ..Setting::default()
    };
    let victim =
        WorkspaceSpec { registry: Some(VICTIM.to_owned()), ..WorkspaceSpec::new(GROUP, "mlw-victim") };
    setting.azure.workspaces.push(victim);
    Scene::set(name, setting).await
}

fn nothing_is_built(scene: &Scene) -> Result<()> {
    let of_victim =
        |entry: &azureml_simulator::Entry| entry.url.contains("taskRuns") || entry.url.contains("listBuild");
    ensure!(!scene.azure.requests().iter().any(of_victim), "{}", scene.requests_shown(20));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_under_another_identity_is_dropped_with_it() -> Result<()> {
    let scene = scene("learn").await?;
    let operator = scene.operator().await?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "stringData": {"clientSecret": "s"}});
    scene.apply(&secret.to_string()).await?;
    let own = format!(
        ", registry: {{resourceId: '{}'}}, identity: {{clientId: cccccccc-0000-4000-8000-000000000001, tenantId: {}, secretRef: {{name: sp}}}}",
        registry(VICTIM),
        scene.azure.tenant_id()
    );
    scene.apply_objects(&workspace(&own)).await?;
    let learned = ready::<MLWorkspace>(&scene, "team-a").await?;
    ensure!(learned["status"]["registry"]["resourceId"] == registry(VICTIM).as_str(), "{learned}");
    patch(&scene, "mlworkspace/team-a", &json!({"spec": {"identity": null}})).await?;
    let refused = says::<MLWorkspace>(&scene, "team-a", "False", "RegistryNotGranted").await?;
    ensure!(message(&refused).contains("registries: ["), "{refused}");
    ensure!(refused["status"]["registry"].is_null(), "{refused}");
    scene.apply_objects(&manifest("MLEnvironment", "image", BUILT)).await?;
    says::<MLEnvironment>(&scene, "image", "False", "WorkspaceNotReady").await?;
    nothing_is_built(&scene)?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_asked_for_when_it_is_used_wherever_it_is_named() -> Result<()> {
    let scene = scene("name").await?;
    let operator = scene.operator().await?;
    // By Azure ML: the workspace's own registry is none of those that are granted.
    scene.apply_objects(&workspace("")).await?;
    let told = ready::<MLWorkspace>(&scene, "team-a").await?;
    ensure!(message(&told).contains("images cannot be built here"), "{told}");
    ensure!(told["status"]["registry"].is_null(), "{told}");
    // By a user who may write a status.
    let forged = json!({"registry": {"resourceId": registry(VICTIM), "loginServer": format!("{VICTIM}.azurecr.io"),
        "location": "westeurope", "roleAssignmentMode": "LegacyRegistryPermissions"}});
    patch_status(&scene, "mlworkspace/team-a", &forged).await?;
    scene.apply_objects(&manifest("MLEnvironment", "image", BUILT)).await?;
    says::<MLEnvironment>(&scene, "image", "False", "NoRegistry").await?;
    nothing_is_built(&scene)?;
    let named = scene.api::<MLWorkspace>().get("team-a").await?.status.context("no status")?;
    ensure!(named.registry.is_some(), "the test forged nothing");
    operator.stop()
}
