//! Runs: cancelled, refused for their values, removed when their time is over.

use super::{accepted, manifest, message, patch, pipeline, ready, workspace};
use anyhow::{Result, ensure};
use azureml_crds::ml_run::Phase;
use azureml_crds::{MLPipeline, MLRun};
use azureml_e2e::{Operator, Scene, Setting};
use serde_json::json;

/// A scene with a pipeline.
async fn with_pipeline(name: &str) -> Result<(Scene, Operator)> {
    let scene = Scene::set(name, Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline(""))).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    Ok((scene, operator))
}

async fn in_phase(scene: &Scene, phase: Phase) -> Result<MLRun> {
    let is_so = |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase == Some(phase));
    scene.wait("one", &format!("{phase:?}"), is_so).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_by_its_spec_and_by_its_deletion() -> Result<()> {
    let (scene, operator) = with_pipeline("cancel").await?;
    let goes_on = json!({"match": {"path": "/jobs/.*/only"}, "when": "outcome", "do": "hold"});
    super::fault(&scene, goes_on)?;
    scene.apply_objects(&manifest("MLRun", "one", "pipelineRef: {name: p}")).await?;
    in_phase(&scene, Phase::Running).await?;
    patch(&scene, "mlrun/one", &json!({"spec": {"cancel": true}})).await?;
    let run = serde_json::to_value(in_phase(&scene, Phase::Canceled).await?)?;
    ensure!(super::condition(&run, "Succeeded")["reason"] == "Canceled", "{run}");
    assert_eq!(accepted(&scene, "POST workspaces/jobs/cancel"), 1);
    scene.apply_objects(&manifest("MLRun", "two", "pipelineRef: {name: p}")).await?;
    let runs = |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase == Some(Phase::Running));
    scene.wait("two", "running", runs).await?;
    scene.delete_objects(&manifest("MLRun", "two", "pipelineRef: {name: p}")).await?;
    scene.wait_gone::<MLRun>("two").await?;
    assert_eq!(accepted(&scene, "POST workspaces/jobs/cancel"), 2);
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_the_pipeline_does_not_take_make_no_job() -> Result<()> {
    let (scene, operator) = with_pipeline("values").await?;
    scene
        .apply_objects(&manifest(
            "MLRun",
            "one",
            "pipelineRef: {name: p}, inputs: {tres: 5}, ttlAfterFinished: 2s",
        ))
        .await?;
    let run = serde_json::to_value(in_phase(&scene, Phase::Failed).await?)?;
    ensure!(
        message(&run, "Succeeded").contains("inputs.tres: the pipeline has no such input; it has trees"),
        "{run}"
    );
    scene.wait_gone::<MLRun>("one").await?;
    assert_eq!(accepted(&scene, "PUT workspaces/jobs"), 0);
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_goes_when_its_time_is_over() -> Result<()> {
    let (scene, operator) = with_pipeline("ttl").await?;
    scene.apply_objects(&manifest("MLRun", "one", "pipelineRef: {name: p}, ttlAfterFinished: 1s")).await?;
    scene.wait_gone::<MLRun>("one").await?;
    assert_eq!(accepted(&scene, "PUT workspaces/jobs"), 1);
    assert_eq!(accepted(&scene, "POST workspaces/jobs/cancel"), 0);
    operator.stop()
}

/// The cluster is lost, and with it the operator, while the job goes on; a person brings back what `kubectl get -o yaml` saved.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_restored_from_a_backup_does_not_run_again() -> Result<()> {
    let (scene, operator) = with_pipeline("restored").await?;
    let goes_on = json!({"match": {"path": "/jobs/.*/only"}, "when": "outcome", "do": "hold"});
    let held = super::fault(&scene, goes_on)?;
    scene.apply_objects(&manifest("MLRun", "one", "pipelineRef: {name: p}")).await?;
    let before = in_phase(&scene, Phase::Running).await?;
    let saved = scene.kubectl(&["get", "mlrun/one", "--output", "yaml"]).await?;
    operator.stop()?;
    patch(&scene, "mlrun/one", &json!({"metadata": {"finalizers": null}})).await?;
    scene.kubectl(&["delete", "mlrun/one"]).await?;

    scene.apply(&saved).await?;
    let operator = scene.operator().await?;
    let after = in_phase(&scene, Phase::Running).await?;
    let job = |run: &MLRun| run.status.as_ref().and_then(|status| status.job_name.clone());
    ensure!(after.metadata.uid != before.metadata.uid && job(&after) == job(&before), "{after:?}");
    ensure!(scene.azure.release(&held, false), "there is no such fault");
    in_phase(&scene, Phase::Succeeded).await?;
    assert_eq!(accepted(&scene, "PUT workspaces/jobs"), 1);

    // It is applied as it was first written: that is another run.
    scene.delete_objects(&manifest("MLRun", "one", "pipelineRef: {name: p}")).await?;
    scene.wait_gone::<MLRun>("one").await?;
    scene.apply_objects(&manifest("MLRun", "one", "pipelineRef: {name: p}")).await?;
    let anew = in_phase(&scene, Phase::Succeeded).await?;
    ensure!(job(&anew) != job(&before), "{anew:?}");
    assert_eq!(accepted(&scene, "PUT workspaces/jobs"), 2);
    scene.check_contract()?;
    operator.stop()
}
