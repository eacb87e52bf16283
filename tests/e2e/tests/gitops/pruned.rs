//! What Git no longer has is deleted, in any order, and goes from Azure where that is asked for; a run is waited for.

use crate::{Stage, manifests};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::scene::{GROUP, WORKSPACE};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_waited_for_and_everything_goes_in_any_order() -> Result<()> {
    let (stage, _) = Stage::set("pruned", &["examples/r-gbm"]).await?;
    let scene = &stage.scene;
    // One cluster is to go from Azure, and the image's environment; the other cluster stays, as is the default.
    let goes = "workspaceRef: {name: team-a}\n  deletionPolicy: Delete";
    stage.repository.replace("examples/r-gbm/computes.yaml", "workspaceRef: {name: team-a}", goes)?;
    stage.repository.replace("examples/r-gbm/environment.yaml", "workspaceRef: {name: team-a}", goes)?;
    stage.repository.write("runs/first.yaml", &manifests::block("kind: MLRun\nmetadata")?)?;
    let first = stage.repository.commit("Delete what is deleted, and run")?;
    stage.watch(&["r-gbm", "runs"]).await?;
    stage.ready("runs", &first).await?;
    let run = scene.api::<MLRun>().get("r-gbm-first").await?.status.context("the run has no status")?;
    ensure!(run.phase == Some(azureml_crds::ml_run::Phase::Succeeded), "ready too early: {:?}", run.phase);

    // The workspace first, which everything else names: Flux is done, the object waits.
    stage.repository.remove("examples/r-gbm/workspace.yaml")?;
    let without = stage.push("Remove the workspace").await?;
    stage.ready("r-gbm", &without).await?;
    let is_in_use = |workspace: &MLWorkspace| {
        let status = workspace.status.clone().unwrap_or_default();
        workspace.metadata.deletion_timestamp.is_some()
            && status.common.conditions.iter().any(|it| it.type_ == "Ready" && it.reason == "InUse")
    };
    scene.wait("team-a", "in use", is_in_use).await?;
    let since = scene.azure.requests().len();
    scene.kubectl(&["delete", "kustomization", "r-gbm", "runs", "--wait=false"]).await?;
    scene.wait_gone::<MLRun>("r-gbm-first").await?;
    scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
    scene.wait_gone::<MLPipeline>("r-gbm").await?;
    scene.wait_gone::<MLEnvironment>("r-gbm").await?;
    scene.wait_gone::<MLCompute>("cpu").await?;
    scene.wait_gone::<MLCompute>("big").await?;
    scene.wait_gone::<MLWorkspace>("team-a").await?;
    ensure!(scene.versions().await?.is_empty(), "{:?}", scene.versions().await?);
    what_is_left_in_azure(&stage, since);
    stage.end().await
}

fn what_is_left_in_azure(stage: &Stage, since: usize) {
    let counted = stage.counted(since);
    let count = |operation: &str| counted.get(operation).copied().unwrap_or(0);
    assert_eq!(count("DELETE workspaces/computes"), 1, "{counted:?}");
    assert_eq!(count("DELETE workspaces/schedules"), 1, "{counted:?}");
    assert_eq!(count("DELETE workspaces/batchEndpoints"), 1, "{counted:?}");
    // Archived: Azure ML forgets no version.
    assert_eq!(count("PUT workspaces/environments/versions"), 1, "{counted:?}");
    let left = stage.scene.azure.state(GROUP, WORKSPACE).map(|left| left.to_string()).unwrap_or_default();
    assert!(!left.contains("r-gbm-team-a"), "the endpoint is still there");
}
