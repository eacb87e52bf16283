//! Deletion that cannot go on: a missing Secret, a grant that was taken back; and what is no longer published.

use super::{accepted, compute, message, patch, pipeline, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLCompute, MLPipeline, MLWorkspace};
use azureml_e2e::operator::{SOON, configure};
use azureml_e2e::{Scene, Setting};
use azureml_plan::reasons::Reason;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_was_taken_back_blocks_deletion_and_retain_is_the_way_out() -> Result<()> {
    let scene = Scene::set("revoked", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute(", deletionPolicy: Delete"))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    operator.stop()?;
    configure(&scene.start.config, scene.azure.endpoint(), scene.azure.ca_file(), SOON)?;
    let operator = scene.operator().await?;
    scene.delete_objects(&compute("")).await?;
    let blocked = says::<MLCompute>(&scene, "cpu", "False", "DeletionBlocked").await?;
    ensure!(message(&blocked, "Ready").contains("set spec.deletionPolicy to Retain"), "{blocked}");
    ensure!(message(&blocked, "Ready").contains("grants: [{namespaces:"), "{blocked}");
    scene.told("MLCompute/cpu", Reason::DELETION_BLOCKED.word(), "").await?;
    patch(&scene, "mlcompute/cpu", &json!({"spec": {"deletionPolicy": "Retain"}})).await?;
    scene.wait_gone::<MLCompute>("cpu").await?;
    assert_eq!(accepted(&scene, "DELETE workspaces/computes"), 0);
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_blocks_deletion_until_it_is_back() -> Result<()> {
    let scene = Scene::set("lost", Setting::default()).await?;
    let tenant = scene.azure.tenant_id();
    let identity = format!(
        ", identity: {{clientId: cccccccc-0000-4000-8000-000000000001, tenantId: {tenant}, secretRef: {{name: sp}}}}"
    );
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "stringData": {"clientSecret": "s"}});
    scene.apply(&secret.to_string()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace(&identity) + &compute(", deletionPolicy: Delete"))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    scene.kubectl(&["delete", "secret", "sp"]).await?;
    operator.stop()?;
    let operator = scene.operator().await?;
    scene.delete_objects(&compute("")).await?;
    let blocked = says::<MLCompute>(&scene, "cpu", "False", "DeletionBlocked").await?;
    ensure!(message(&blocked, "Ready").contains("there is no Secret sp"), "{blocked}");
    scene.apply(&secret.to_string()).await?;
    scene.wait_gone::<MLCompute>("cpu").await?;
    assert_eq!(accepted(&scene, "DELETE workspaces/computes"), 1);
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_published_has_no_endpoint() -> Result<()> {
    let scene = Scene::set("unpublish", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline(", publish: {endpoint: p-team-a}"))).await?;
    let published = ready::<MLPipeline>(&scene, "p").await?;
    ensure!(published["status"]["endpoint"]["scoringUri"].is_string(), "{published}");
    patch(&scene, "mlpipeline/p", &json!({"spec": {"publish": null}})).await?;
    let is_gone = |pipeline: &MLPipeline| {
        pipeline.status.as_ref().is_some_and(|status| {
            status.endpoint.is_none()
                && status.common.observed_generation == pipeline.metadata.generation
                && azureml_plan::report::is_ready(&status.common.conditions)
        })
    };
    scene.wait("p", "ready without an endpoint", is_gone).await?;
    assert_eq!(accepted(&scene, "DELETE workspaces/batchEndpoints"), 1);
    ready::<MLWorkspace>(&scene, "team-a").await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_was_replaced_while_nobody_looked_goes() -> Result<()> {
    let scene = Scene::set("replaced", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline(", publish: {endpoint: p-old}"))).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    operator.stop()?;
    patch(&scene, "mlpipeline/p", &json!({"spec": {"publish": null}})).await?;
    patch(&scene, "mlpipeline/p", &json!({"spec": {"publish": {"endpoint": "p-new"}}})).await?;
    let operator = scene.operator().await?;
    let published = ready::<MLPipeline>(&scene, "p").await?;
    ensure!(published["status"]["endpoint"]["name"] == "p-new", "{published}");
    let deleted: Vec<String> =
        scene.writes(0).into_iter().filter(|entry| entry.method == "DELETE").map(|entry| entry.url).collect();
    ensure!(deleted.len() == 1 && deleted[0].contains("/batchEndpoints/p-old"), "{deleted:?}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_with_its_resource_group_holds_nothing() -> Result<()> {
    let scene = Scene::set("nothing", Setting::default()).await?;
    let operator = scene.operator().await?;
    let all = workspace("") + &pipeline(", publish: {endpoint: p-nothing}");
    scene.apply_objects(&all).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    let gone = json!({"match": {"path": "/workspaces/mlw-team-a"}, "do": {"status": 404, "code": "ResourceGroupNotFound"}});
    super::fault(&scene, gone)?;
    scene.delete_objects(&all).await?;
    scene.wait_gone::<MLPipeline>("p").await?;
    scene.wait_gone::<MLWorkspace>("team-a").await?;
    operator.stop()
}
