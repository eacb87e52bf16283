//! Refusals as Azure gives them for reasons outside of the spec: policies, locks, registries without builds, too many
//! requests, storage without keys. The user reads what to do before Azure's own words.

use super::{accepted, compute, condition, fault, manifest, message, pipeline, ready, says, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline};
use azureml_e2e::scene::{GROUP, WORKSPACE};
use azureml_e2e::{Scene, Setting};
use azureml_simulator::{StorageAccess, WorkspaceSpec};
use serde_json::json;

const BUILT: &str = "workspaceRef: {name: team-a}, build: {dockerfile: \"FROM r-base:4.4\\nRUN true\\n\"}";

/// Where in a text the one part stands before the other.
fn before(text: &str, first: &str, second: &str) -> Result<()> {
    let (first_at, second_at) = (text.find(first), text.find(second));
    let first_at = first_at.with_context(|| format!("{first:?} is missing: {text}"))?;
    ensure!(second_at.is_none_or(|second_at| first_at < second_at), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_forbids_a_cluster_is_named_and_not_buried_in_what_it_evaluated() -> Result<()> {
    let scene = Scene::set("policy", Setting::default()).await?;
    let operator = scene.operator().await?;
    let forbids = fault(
        &scene,
        json!({"match": {"method": "PUT", "path": "/computes/"}, "do": {"recorded": "RequestDisallowedByPolicy"}}),
    )?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    let refused = says::<MLCompute>(&scene, "cpu", "False", "RequestDisallowedByPolicy").await?;
    let text = message(&refused, "Ready");
    before(&text, "the owner of the policy", "was disallowed by policy")?;
    ensure!(text.contains("only-small-machines") || text.contains("Only small machines"), "{text}");
    ensure!(text.len() < 3_000, "{} characters", text.len());
    ensure!(condition(&refused, "Stalled")["status"] == "True", "{refused}");
    ensure!(scene.azure.release(&forbids, false), "there is no such fault");
    super::patch(&scene, "mlcompute/cpu", &json!({"spec": {"scale": {"max": 3}}})).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_whose_subscription_has_no_builds_says_where_else_to_build() -> Result<()> {
    let scene = Scene::set("tasks", Setting::default()).await?;
    let operator = scene.operator().await?;
    fault(
        &scene,
        json!({"match": {"method": "PUT", "path": "/taskRuns/"}, "do": {"recorded": "TasksOperationsNotAllowed"}}),
    )?;
    scene.apply_objects(&(workspace("") + &manifest("MLEnvironment", "image", BUILT))).await?;
    let refused = says::<MLEnvironment>(&scene, "image", "False", "TasksOperationsNotAllowed").await?;
    before(&message(&refused, "Ready"), "spec.image", "Please file an Azure support request")?;
    assert_eq!(accepted(&scene, "PUT registries/taskRuns"), 0);
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_blocks_deletion_until_it_is_removed() -> Result<()> {
    let scene = Scene::set("locked", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute(", deletionPolicy: Delete"))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let lock = fault(
        &scene,
        json!({"match": {"method": "DELETE", "path": "/computes/"}, "do": {"recorded": "ScopeLocked"}}),
    )?;
    scene.delete_objects(&compute("")).await?;
    let blocked = says::<MLCompute>(&scene, "cpu", "False", "DeletionBlocked").await?;
    before(&message(&blocked, "Ready"), "remove the lock", "cannot perform delete operation")?;
    ensure!(scene.azure.release(&lock, false), "there is no such fault");
    // On a busy machine the operator has looked by itself, and there is nothing left to ask for.
    let _ = super::ask(&scene, "mlcompute/cpu", "unlocked").await;
    scene.wait_gone::<MLCompute>("cpu").await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_of_azure_ml_are_no_quota_although_the_code_says_so() -> Result<()> {
    let scene = Scene::set("many", Setting::default()).await?;
    let operator = scene.operator().await?;
    fault(
        &scene,
        json!({"match": {"method": "PUT", "path": "/computes/"}, "do": {"recorded": "TooManyRequests"}, "times": 1}),
    )?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    let is_throttled = |compute: &MLCompute| {
        let shown = serde_json::to_value(compute).unwrap_or_default();
        condition(&shown, "Ready")["reason"] == "TooManyRequests"
    };
    let told = serde_json::to_value(scene.wait::<MLCompute>("cpu", "throttled", is_throttled).await?)?;
    ensure!(condition(&told, "Stalled").is_null(), "{told}");
    ensure!(!message(&told, "Ready").contains("quota"), "{told}");
    ready::<MLCompute>(&scene, "cpu").await?;
    // The text alone says how long to wait: 20 seconds.
    let asked: Vec<_> = scene
        .azure
        .requests()
        .into_iter()
        .filter(|entry| entry.operation == "PUT workspaces/computes")
        .collect();
    ensure!(asked.len() == 2, "{}", scene.requests_shown(20));
    ensure!(asked[1].time.duration_since(asked[0].time).as_secs() >= 19, "{}", scene.requests_shown(20));
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_reach_storage_without_keys_by_a_token_once_the_role_is_there() -> Result<()> {
    let mut setting = Setting::default();
    setting.azure.workspaces =
        vec![WorkspaceSpec { storage: StorageAccess::Identity, ..WorkspaceSpec::new(GROUP, WORKSPACE) }];
    let scene = Scene::set("keyless", setting).await?;
    let operator = scene.operator().await?;
    let spec = "workspaceRef: {name: team-a}, defaults: {compute: {ref: cpu}, environment: {ref: image}}, \
                steps: [{name: only, r: {script: main.R}, code: {files: {main.R: 'print(1)'}}}]";
    scene.apply_objects(&(workspace("") + &pipeline("") + &manifest("MLPipeline", "files", spec))).await?;
    let lacks = says::<MLPipeline>(&scene, "files", "False", "AuthorizationPermissionMismatch").await?;
    ensure!(message(&lacks, "Ready").contains("Storage Blob Data Contributor"), "{lacks}");
    scene.azure.give_blob_role(&scene.start.client, true);
    ready::<MLPipeline>(&scene, "files").await?;
    assert_eq!(accepted(&scene, "PUT workspaces/codes/versions"), 1);
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_may_not_be_archived_blocks_deletion_and_says_so() -> Result<()> {
    let scene = Scene::set("unarchived", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline(""))).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    let refused = json!({"match": {"method": "PUT", "path": "/components/"}, "do": {"status": 400, "code": "UpdateComponentFailed"}});
    let refused = fault(&scene, refused)?;
    scene.delete_objects(&manifest("MLPipeline", "p", "")).await?;
    says::<MLPipeline>(&scene, "p", "False", "DeletionBlocked").await?;
    ensure!(scene.azure.release(&refused, false), "there is no such fault");
    super::ask(&scene, "mlpipeline/p", "allowed").await?;
    scene.wait_gone::<MLPipeline>("p").await?;
    operator.stop()
}
