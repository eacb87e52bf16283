//! Clusters: a quota, a pause, one that was there before.

use crate::{accepted, compute, condition, fault, last_body, message, patch, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLCompute, MLEnvironment};
use azureml_e2e::{Scene, Setting};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_said_in_azures_words_and_tried_again() -> Result<()> {
    let scene = Scene::set("quota", Setting::default()).await?;
    let operator = scene.operator().await?;
    let text = "Operation results in exceeding quota limits of Total Cluster Dedicated Regional vCPUs. Maximum allowed: 10";
    let fails = json!({"match": {"path": "/computes/"}, "when": "outcome", "do": {"fail": {"code": "ClusterCoreQuotaReached", "message": text}}});
    let fails = fault(&scene, fails)?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    let failed = says::<MLCompute>(&scene, "cpu", "False", "QuotaExceeded").await?;
    ensure!(message(&failed, "Ready").contains(text), "{failed}");
    ensure!(condition(&failed, "Stalled")["status"] == "True", "{failed}");
    ensure!(condition(&failed, "Reconciling").is_null(), "{failed}");
    ensure!(scene.azure.release(&fails, false), "there is no such fault");
    let done = ready::<MLCompute>(&scene, "cpu").await?;
    ensure!(condition(&done, "Stalled").is_null() && done["status"]["lastFailure"].is_null(), "{done}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_object_changes_nothing_in_azure_until_it_goes_on() -> Result<()> {
    let scene = Scene::set("paused", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let since = scene.azure.requests().len();
    let paused = |value: serde_json::Value| json!({"metadata": {"annotations": {azureml_crds::PAUSED: value}}, "spec": {"scale": {"max": 9}}});
    patch(&scene, "mlcompute/cpu", &paused(json!("true"))).await?;
    let is_paused = |compute: &MLCompute| {
        compute.status.as_ref().is_some_and(|status| {
            let mut conditions = status.common.conditions.iter();
            conditions.any(|condition| condition.type_ == "Paused" && condition.status == "True")
                && status.common.observed_generation == compute.metadata.generation
        })
    };
    scene.wait("cpu", "paused", is_paused).await?;
    assert!(scene.writes(since).is_empty(), "{}", scene.requests_shown(10));
    patch(&scene, "mlcompute/cpu", &paused(serde_json::Value::Null)).await?;
    let done = ready::<MLCompute>(&scene, "cpu").await?;
    ensure!(condition(&done, "Paused").is_null(), "{done}");
    let body = last_body(&scene, "PATCH workspaces/computes")?;
    assert_eq!(body["properties"]["properties"]["scaleSettings"]["maxNodeCount"], 9);
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_object_that_has_to_be_made_is_not_looked_at_all_the_time() -> Result<()> {
    let scene = Scene::set("idle", Setting::default()).await?;
    let operator = scene.operator().await?;
    let environment = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLEnvironment",
        "metadata": {"name": "image", "annotations": {azureml_crds::PAUSED: "true"}},
        "spec": {"workspaceRef": {"name": "team-a"}, "image": "ghcr.io/team/image:1"}});
    scene.apply_objects(&(workspace("") + "---\n" + &environment.to_string())).await?;
    let is_paused = |environment: &MLEnvironment| {
        environment.status.as_ref().is_some_and(|status| {
            status.common.conditions.iter().any(|condition| condition.type_ == "Paused")
        })
    };
    scene.wait("image", "paused", is_paused).await?;
    // Passes over another object take their time, in which a loop would show.
    let mut mark = operator.mark();
    for value in ["1", "2", "3", "4", "5"] {
        crate::ask(&scene, "mlworkspace/team-a", value).await?;
        mark = operator.pass(mark, "MLWorkspace", "team-a")?;
    }
    let looks = scene.azure.requests().iter().filter(|entry| entry.url.contains("/environments/")).count();
    ensure!(looks <= 3, "{looks} looks: {}", scene.requests_shown(20));
    assert!(scene.writes(0).is_empty(), "{}", scene.requests_shown(20));
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_there_is_used_as_it_is_or_taken_over() -> Result<()> {
    let scene = Scene::set("adopt", Setting::default()).await?;
    let (http, token) = scene.azure_client().await?;
    let id = format!(
        "/subscriptions/{}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/mlw-team-a/computes/shared",
        scene.azure.subscription_id()
    );
    let body = json!({"location": "westeurope", "tags": {"made": "by hand"}, "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "STANDARD_DS3_V2", "vmPriority": "Dedicated", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT2M"}}}});
    let url = format!("{}{id}?api-version=2025-12-01", scene.azure.endpoint());
    http.put(url).bearer_auth(token).json(&body).send().await?.error_for_status()?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute(", azureName: shared"))).await?;
    let used = says::<MLCompute>(&scene, "cpu", "True", "NotOwned").await?;
    ensure!(
        used["status"]["drift"][0]["path"] == "properties.properties.scaleSettings.maxNodeCount",
        "{used}"
    );
    assert_eq!(accepted(&scene, "PUT workspaces/computes"), 1, "ours is the one by hand alone");
    patch(&scene, "mlcompute/cpu", &json!({"spec": {"adopt": true}})).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let body = last_body(&scene, "PUT workspaces/computes")?;
    ensure!(body["tags"]["made"] == "by hand" && body["tags"]["azureml-operator-name"] == "cpu", "{body}");
    ensure!(body["properties"]["properties"]["scaleSettings"]["maxNodeCount"] == 4, "{body}");
    operator.stop()
}
