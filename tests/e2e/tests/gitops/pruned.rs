//! What Git no longer has is deleted, in any order, and goes from Azure where that is asked for; a run is waited for.

use super::{Stage, flux, manifests};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::scene::{GROUP, Object, WORKSPACE};

/// One cluster is to go from Azure, and the image's environment; the other cluster stays, as is the default.
fn some_go_from_azure(stage: &Stage) -> Result<()> {
    let goes = "workspaceRef: {name: team-a}\n  deletionPolicy: Delete";
    for file in ["computes", "environment"] {
        let file = format!("examples/r-gbm/{file}.yaml");
        stage.repository.replace(&file, "workspaceRef: {name: team-a}", goes)?;
    }
    Ok(())
}

/// Waits until an object that Git no longer has says who still names it.
async fn waits_for<K: Object>(stage: &Stage, name: &str, holders: &str) -> Result<()> {
    let says = |object: &K| {
        let object = serde_json::to_value(object).unwrap_or_default();
        let ready = flux::condition(&object, "Ready");
        let message = ready["message"].as_str().unwrap_or_default();
        !object["metadata"]["deletionTimestamp"].is_null()
            && ready["reason"] == "InUse"
            && message.starts_with(&format!("still named by {holders}; "))
    };
    stage.scene.wait(name, &format!("waiting for {holders}"), says).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_waited_for_and_everything_goes_in_any_order() -> Result<()> {
    let (stage, _) = Stage::set("pruned", &["examples/r-gbm"]).await?;
    let scene = &stage.scene;
    some_go_from_azure(&stage)?;
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
    let all = "MLCompute/big, MLCompute/cpu, MLEnvironment/r-gbm, MLPipeline/r-gbm";
    waits_for::<MLWorkspace>(&stage, "team-a", all).await?;
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

/// What is named goes before what names it, a commit at a time. A cluster that is to go from Azure waits for its pipeline, the
/// pipeline for its schedule; what stays in Azure, or is only archived, goes at once, and the pipeline says that it is missing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_goes_before_what_names_it_and_everything_goes() -> Result<()> {
    let (stage, _) = Stage::set("backwards", &["examples/r-gbm"]).await?;
    let scene = &stage.scene;
    some_go_from_azure(&stage)?;
    let first = stage.repository.commit("Delete what is deleted")?;
    stage.watch(&["r-gbm"]).await?;
    stage.ready("r-gbm", &first).await?;
    let since = scene.azure.requests().len();
    for file in ["environment", "computes"] {
        stage.repository.remove(&format!("examples/r-gbm/{file}.yaml"))?;
    }
    stage.push("Remove the environment and the clusters").await?;
    waits_for::<MLCompute>(&stage, "cpu", "MLPipeline/r-gbm").await?;
    scene.wait_gone::<MLCompute>("big").await?;
    scene.wait_gone::<MLEnvironment>("r-gbm").await?;
    let says = |pipeline: &MLPipeline| {
        let pipeline = serde_json::to_value(pipeline).unwrap_or_default();
        let ready = flux::condition(&pipeline, "Ready");
        ready["reason"] == "ReferenceNotFound" && ready["message"].to_string().contains("MLEnvironment r-gbm")
    };
    scene.wait("r-gbm", "without its environment", says).await?;
    stage.repository.remove("examples/r-gbm/pipeline.yaml")?;
    stage.push("Remove the pipeline").await?;
    waits_for::<MLPipeline>(&stage, "r-gbm", "MLSchedule/r-gbm-weekdays").await?;
    waits_for::<MLCompute>(&stage, "cpu", "MLPipeline/r-gbm").await?;
    let archived = [("PUT workspaces/environments/versions".to_owned(), 1)];
    assert_eq!(stage.counted(since), archived.into());
    stage.repository.remove("examples/r-gbm/schedule.yaml")?;
    let last = stage.push("Remove the schedule").await?;
    scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
    scene.wait_gone::<MLPipeline>("r-gbm").await?;
    scene.wait_gone::<MLCompute>("cpu").await?;
    stage.ready("r-gbm", &last).await?;
    let left = scene.versions().await?;
    ensure!(left.keys().eq(["MLWorkspace/team-a"]), "{left:?}");
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
