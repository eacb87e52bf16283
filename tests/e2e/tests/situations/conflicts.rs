//! What comes too late, or whose answer does: a status over an object that was changed, a request that a gateway gave up.

use super::{compute, fault, manifest, patch, pipeline, ready, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_controller::telemetry::texts;
use azureml_crds::ml_run::Phase;
use azureml_crds::{MLCompute, MLPipeline, MLRun, MLWorkspace};
use azureml_e2e::{PATIENCE, Scene, Setting};
use azureml_simulator::Entry;
use kube::api::{Patch, PatchParams};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_not_written_over_an_object_that_was_changed_meanwhile() -> Result<()> {
    let scene = Scene::set("late", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&workspace("")).await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    fault(&scene, json!({"id": "late", "match": {"path": "/computes"}, "do": "hold"}))?;
    scene.apply_objects(&compute("")).await?;
    let is_held = |entry: &Entry| entry.fault.as_deref() == Some("late");
    let held = |log: &[Entry]| log.iter().any(is_held).then_some(());
    scene.azure.wait_for(PATIENCE, held).await.context("Azure holds nothing")?;
    let before = scene.api::<MLCompute>().get("cpu").await?;
    patch(&scene, "mlcompute/cpu", &json!({"metadata": {"labels": {"team": "a"}}})).await?;
    ensure!(scene.azure.release("late", false), "there was nothing to release");
    let refused = |line: &serde_json::Value| line["message"].to_string().contains(texts::KUBERNETES_REFUSED);
    operator.line(0, "that the status was refused", refused)?;
    ready::<MLCompute>(&scene, "cpu").await?;
    // The API server keeps to it, also towards one that forces its fields.
    let late = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute",
                      "metadata": {"resourceVersion": before.metadata.resource_version},
                      "status": {"conditions": []}});
    let params = PatchParams::apply("azureml-controller").force();
    let answer = scene.api::<MLCompute>().patch_status("cpu", &params, &Patch::Apply(&late)).await;
    ensure!(matches!(&answer, Err(kube::Error::Api(status)) if status.code == 409), "{answer:?}");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_gateway_did_not_wait_for_is_not_lost() -> Result<()> {
    let scene = Scene::set("gateway", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline(""))).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    let gave_up = json!({"match": {"method": "PUT", "path": "/jobs/", "nth": 1}, "when": "after", "do": {"status": 408}});
    fault(&scene, gave_up)?;
    scene.apply_objects(&manifest("MLRun", "one", "pipelineRef: {name: p}")).await?;
    let has_ended = |run: &MLRun| {
        let phase = run.status.as_ref().and_then(|status| status.phase);
        phase.is_some_and(Phase::is_finished)
    };
    let run = scene.wait::<MLRun>("one", "finished", has_ended).await?;
    let phase = run.status.and_then(|status| status.phase);
    assert_eq!(phase, Some(Phase::Succeeded), "{}", scene.requests_shown(20));
    let sent = scene.azure.requests().iter().filter(|sent| sent.operation == "PUT workspaces/jobs").count();
    assert_eq!(sent, 1, "{}", scene.requests_shown(20));
    operator.stop()
}
