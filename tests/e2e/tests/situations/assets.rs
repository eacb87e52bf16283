//! What exists in Azure and is used by its name: a label stands still until somebody asks, and a pipeline in the place of a step is waited for.

use super::{accepted, ask, compute, manifest, message, pipeline, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::ml_pipeline::MLPipelineStatus;
use azureml_crds::shared::ResolvedAsset;
use azureml_crds::{MLPipeline, MLRun, MLSchedule};
use azureml_e2e::{Scene, Setting};
use serde_json::{Value, json};

/// A pipeline whose step runs in an environment that somebody registered, on data that somebody registered.
fn labelled() -> String {
    let spec = "workspaceRef: {name: team-a}, defaults: {compute: {ref: cpu}}, inputs: {prices: {type: uri_file, path: 'azureml:prices@latest'}}, \
        steps: [{name: only, command: 'cat ${{inputs.extra}} ${{inputs.prices}}', environment: {id: 'azureml:r-env@latest'}, \
        inputs: {prices: '${{parent.inputs.prices}}'}, data: {extra: {type: uri_file, path: 'azureml:extra:1'}}}]";
    manifest("MLPipeline", "labelled", spec)
}

/// Registers an asset as a person would.
async fn register(scene: &Scene, asset: &str, version: &str, properties: Value) -> Result<()> {
    let (http, token) = scene.azure_client().await?;
    let url = format!(
        "{}/subscriptions/{}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/mlw-team-a/{asset}/versions/{version}\
         ?api-version=2025-12-01",
        scene.azure.endpoint(),
        scene.azure.subscription_id()
    );
    let body = json!({"properties": properties});
    http.put(url).bearer_auth(token).json(&body).send().await?.error_for_status()?;
    Ok(())
}

fn image(tag: &str) -> Value {
    json!({"image": format!("ghcr.io/team/image:{tag}"), "osType": "Linux"})
}

fn prices(day: &str) -> Value {
    json!({"dataType": "uri_file", "dataUri": format!("azureml://datastores/workspaceblobstore/paths/prices/{day}.csv")})
}

/// The version that a status tells of a label.
fn resolved(object: &Value) -> &str {
    object["status"]["resolved"][0]["id"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default()
}

/// Whether a label means a version whose id ends so.
fn means(resolved: &[ResolvedAsset], end: &str) -> bool {
    resolved.iter().any(|one| one.id.ends_with(end))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_stands_still_until_somebody_asks_and_the_nights_use_the_newest_data() -> Result<()> {
    let scene = Scene::set("labels", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute("") + &labelled())).await?;
    let waiting = says::<MLPipeline>(&scene, "labelled", "False", "ReferenceNotFound").await?;
    ensure!(
        message(&waiting, "Ready").contains("azureml:r-env@latest: the workspace has no version"),
        "{waiting}"
    );

    register(&scene, "environments/r-env", "1", image("1")).await?;
    register(&scene, "data/prices", "1", prices("monday")).await?;
    register(&scene, "data/extra", "1", prices("extra")).await?;
    let first = ready::<MLPipeline>(&scene, "labelled").await?;
    ensure!(resolved(&first) == "1", "{first}");
    let nightly = manifest("MLSchedule", "nightly", "pipelineRef: {name: labelled}, cron: '0 3 * * *'");
    scene.apply_objects(&(nightly + &manifest("MLRun", "one", "pipelineRef: {name: labelled}"))).await?;
    let scheduled = ready::<MLSchedule>(&scene, "nightly").await?;
    ensure!(resolved(&scheduled) == "1", "{scheduled}");
    let of_now = |run: &MLRun| run.status.as_ref().is_some_and(|status| means(&status.resolved, "/1"));
    scene.wait::<MLRun>("one", "on the data of now", of_now).await?;

    register(&scene, "environments/r-env", "2", image("2")).await?;
    register(&scene, "data/prices", "2", prices("tuesday")).await?;
    ask(&scene, "mlschedule/nightly", "now").await?;
    let follows =
        |schedule: &MLSchedule| schedule.status.as_ref().is_some_and(|status| means(&status.resolved, "/2"));
    scene.wait::<MLSchedule>("nightly", "on the new data", follows).await?;
    let same = ready::<MLPipeline>(&scene, "labelled").await?;
    ensure!(same["status"]["version"] == first["status"]["version"], "{same}");
    ask(&scene, "mlpipeline/labelled", "now").await?;
    let follows = |pipeline: &MLPipeline| {
        let is_new = |status: &&MLPipelineStatus| json!(status.version) != first["status"]["version"];
        pipeline.status.as_ref().filter(is_new).is_some_and(|status| means(&status.resolved, "/2"))
    };
    scene.wait::<MLPipeline>("labelled", "in the new environment", follows).await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_in_the_place_of_a_step_is_waited_for_and_kept() -> Result<()> {
    let scene = Scene::set("nested", Setting::default()).await?;
    let operator = scene.operator().await?;
    let outer = "workspaceRef: {name: team-a}, steps: [{name: inner, pipeline: {ref: p}}]";
    scene.apply_objects(&(workspace("") + &manifest("MLPipeline", "outer", outer))).await?;
    says::<MLPipeline>(&scene, "outer", "False", "ReferenceNotFound").await?;
    scene.apply_objects(&pipeline("")).await?;
    let inner = ready::<MLPipeline>(&scene, "p").await?;
    let whole = ready::<MLPipeline>(&scene, "outer").await?;
    let used = &whole["status"]["steps"][0]["componentId"];
    ensure!(*used == inner["status"]["current"]["componentId"], "{whole}");

    scene.kubectl(&["delete", "mlpipeline/p", "--wait=false"]).await?;
    says::<MLPipeline>(&scene, "p", "False", "InUse").await?;
    scene.kubectl(&["delete", "mlpipeline/outer", "mlpipeline/p"]).await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_in_a_circle_are_refused_and_can_be_deleted() -> Result<()> {
    let scene = Scene::set("circle", Setting::default()).await?;
    let operator = scene.operator().await?;
    let outer = "workspaceRef: {name: team-a}, steps: [{name: inner, pipeline: {ref: p}}]";
    scene.apply_objects(&(workspace("") + &pipeline("") + &manifest("MLPipeline", "outer", outer))).await?;
    ready::<MLPipeline>(&scene, "outer").await?;
    let circle = "workspaceRef: {name: team-a}, defaults: {compute: {ref: cpu}}, steps: [{name: outer, pipeline: {ref: outer}}]";
    scene.apply_objects(&manifest("MLPipeline", "p", circle)).await?;
    let refused = says::<MLPipeline>(&scene, "p", "False", "InvalidSpec").await?;
    ensure!(message(&refused, "Ready").contains("in a circle: p → outer → p"), "{refused}");
    scene.kubectl(&["delete", "mlpipeline/outer", "mlpipeline/p"]).await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_somebody_registered_is_used_as_it_is() -> Result<()> {
    let scene = Scene::set("code", Setting::default()).await?;
    let operator = scene.operator().await?;
    let files = json!({"codeUri": "https://stmlwteama.blob.core.windows.net/somebodys/scripts"});
    register(&scene, "codes/scripts", "3", files).await?;
    let of = |version: &str| {
        let spec = format!(
            "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}, \
             code: {{asset: 'azureml:scripts:{version}'}}}}, steps: [{{name: only, python: {{script: main.py}}}}]"
        );
        manifest("MLPipeline", "coded", &spec)
    };
    scene.apply_objects(&(workspace("") + &pipeline("") + &of("3"))).await?;
    ready::<MLPipeline>(&scene, "coded").await?;
    let since = scene.azure.requests().len();
    let runs =
        |version: &str| {
            let end = format!("/codes/scripts/versions/{version}");
            let is_it = |body: &Value| {
                body["properties"]["componentSpec"]["code"].as_str().is_some_and(|code| code.ends_with(&end))
            };
            scene.azure.requests().iter().any(|entry| {
                entry.operation == "PUT workspaces/components/versions" && is_it(&entry.json_body())
            })
        };
    ensure!(runs("3"), "{}", scene.requests_shown(60));
    assert_eq!(accepted(&scene, "PUT workspaces/codes/versions"), 1, "somebody's own alone");

    let files = json!({"codeUri": "https://stmlwteama.blob.core.windows.net/somebodys/newer"});
    register(&scene, "codes/scripts", "4", files).await?;
    scene.apply_objects(&of("4")).await?;
    ready::<MLPipeline>(&scene, "coded").await?;
    ensure!(runs("4"), "{}", scene.requests_shown(60));
    let asked = |entry: &azureml_simulator::Entry| entry.operation.contains("startPendingUpload");
    ensure!(!scene.azure.requests().iter().skip(since).any(asked), "{}", scene.requests_shown(60));
    scene.check_contract()?;
    operator.stop()
}
