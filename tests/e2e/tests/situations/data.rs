//! Data: a pipeline that follows an MLData, a run that reads it, a forged status, and an address of another workspace.

use super::{accepted, last_body, manifest, message, patch, pipeline, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLData, MLPipeline, MLRun};
use azureml_e2e::{Scene, Setting};
use serde_json::json;

fn taxi(path: &str) -> String {
    manifest("MLData", "taxi", &format!("workspaceRef: {{name: team-a}}, type: uri_folder, path: '{path}'"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_and_its_runs_read_the_version_that_an_mldata_has_now() -> Result<()> {
    let scene = Scene::set("data", Setting::default()).await?;
    let operator = scene.operator().await?;
    let reader = pipeline("").replace(
        "inputs: {trees: {type: integer, default: 5}}",
        "inputs: {trees: {type: integer, default: 5}, raw: {type: uri_folder, ref: taxi}}",
    );
    let first = "azureml://datastores/workspaceblobstore/paths/1/";
    scene.apply_objects(&(workspace("") + &taxi(first) + &reader)).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    let data = ready::<MLData>(&scene, "taxi").await?;
    ensure!(last_body(&scene, "PUT workspaces/data/versions")?["properties"]["dataUri"] == first, "{data}");

    // Somebody who may write a status names a version that the spec does not have.
    let forged =
        json!({"status": {"version": "0".repeat(32), "azureId": "/subscriptions/s/forged"}}).to_string();
    let forge = ["patch", "mldata/taxi", "--subresource=status", "--type=merge", "-p", &forged];
    scene.kubectl(&forge).await?;
    patch(
        &scene,
        "mldata/taxi",
        &json!({"spec": {"path": "azureml://datastores/workspaceblobstore/paths/2/"}}),
    )
    .await?;
    let data = ready::<MLData>(&scene, "taxi").await?;
    let run = manifest("MLRun", "one", "pipelineRef: {name: p}");
    let is_followed = |object: &MLPipeline| {
        let current = object.status.as_ref().and_then(|status| status.current.as_ref());
        let path = current.and_then(|current| current.inputs.get("raw")?.path.clone());
        path.as_deref() == data["status"]["azureId"].as_str()
    };
    scene.wait::<MLPipeline>("p", "of the new data", is_followed).await?;
    scene.apply_objects(&run).await?;
    scene
        .wait::<MLRun>("one", "sent", |run| {
            run.status.as_ref().is_some_and(|status| status.studio_url.is_some())
        })
        .await?;
    let sent = last_body(&scene, "PUT workspaces/jobs")?;
    ensure!(sent["properties"]["inputs"]["raw"]["uri"] == data["status"]["azureId"], "{sent}");
    assert_eq!(accepted(&scene, "PUT workspaces/data/versions"), 2, "{}", scene.requests_shown(60));
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_type_than_the_input_is_refused_in_words() -> Result<()> {
    let scene = Scene::set("type", Setting::default()).await?;
    let operator = scene.operator().await?;
    let reader =
        pipeline("").replace("inputs: {trees: {", "inputs: {raw: {type: uri_file, ref: taxi}, trees: {");
    scene.apply_objects(&(workspace("") + &taxi("https://example.com/taxi/") + &reader)).await?;
    let refused = says::<MLPipeline>(&scene, "p", "False", "InvalidSpec").await?;
    ensure!(message(&refused, "Ready").contains("MLData taxi is a uri_folder"), "{refused}");
    operator.stop()
}
