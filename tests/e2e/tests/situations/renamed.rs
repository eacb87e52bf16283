//! An object that is renamed in Git: the new name is there before the old one has gone, and takes its place then.

use super::{compute, manifest, pipeline, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLCompute, MLPipeline, MLSchedule};
use azureml_e2e::{Scene, Setting};

/// The same resources in Azure, by objects of two names.
fn named(suffix: &str, policy: &str) -> String {
    let cluster = "workspaceRef: {name: team-a}, azureName: shared, vmSize: Standard_DS3_v2, scale: {max: 4}";
    let published = "workspaceRef: {name: team-a}, publish: {endpoint: shared-endpoint}, \
        defaults: {compute: {ref: cpu}, environment: {ref: image}}, steps: [{name: only, command: 'echo 1'}]";
    let nightly = "pipelineRef: {name: p}, azureName: shared-nightly, cron: '0 3 * * *'";
    let all = [
        ("MLCompute", "cluster", cluster),
        ("MLPipeline", "published", published),
        ("MLSchedule", "nightly", nightly),
    ];
    let spec = |spec: &str| format!("{spec}, deletionPolicy: {policy}");
    all.map(|(kind, name, text)| manifest(kind, &format!("{name}-{suffix}"), &spec(text))).concat()
}

/// The old name is there, then both, then the new one alone.
async fn rename(name: &str, policy: &str) -> Result<()> {
    // The next comparison is an hour away.
    let scene = Scene::set(name, Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute("") + &pipeline("") + &named("old", policy))).await?;
    ready::<MLCompute>(&scene, "cluster-old").await?;
    ready::<MLPipeline>(&scene, "published-old").await?;
    ready::<MLSchedule>(&scene, "nightly-old").await?;
    scene.apply_objects(&named("new", policy)).await?;
    says::<MLCompute>(&scene, "cluster-new", "False", "OwnedByAnother").await?;
    says::<MLSchedule>(&scene, "nightly-new", "False", "OwnedByAnother").await?;
    let taken = says::<MLPipeline>(&scene, "published-new", "False", "OwnedByAnother").await?;
    ensure!(taken["status"]["endpoint"].is_null(), "{taken}");
    scene.delete_objects(&named("old", policy)).await?;
    ready::<MLCompute>(&scene, "cluster-new").await?;
    ready::<MLSchedule>(&scene, "nightly-new").await?;
    let published = ready::<MLPipeline>(&scene, "published-new").await?;
    ensure!(published["status"]["endpoint"]["name"] == "shared-endpoint", "{published}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_name_takes_over_when_the_old_one_has_gone_and_not_at_the_next_comparison() -> Result<()> {
    rename("renamed", "Delete").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_name_takes_over_what_the_old_one_left_in_azure() -> Result<()> {
    rename("renamed-kept", "Retain").await
}
