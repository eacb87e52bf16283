//! Optional inputs: a run, a schedule and a call of the endpoint without a value have no such input, and say so to nobody.

use super::{accepted, compute, last_body, manifest, ready, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::ml_run::Phase;
use azureml_crds::{MLPipeline, MLRun, MLSchedule};
use azureml_e2e::{Scene, Setting};
use serde_json::{Value, json};

/// A pipeline with an optional text and optional data, in a step each.
fn pipeline() -> String {
    let bound = |name: &str| {
        format!(
            "{{name: {name}, command: 'echo $[[--{name} ${{{{inputs.{name}}}}}]]', inputs: {{{name}: '${{{{parent.inputs.{name}}}}}'}}}}"
        )
    };
    let spec = format!(
        "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}}}, \
         inputs: {{label: {{type: string, optional: true}}, raw: {{type: uri_folder, optional: true}}}}, publish: {{endpoint: optional-p}}, steps: [{}, {}]",
        bound("label"),
        bound("raw")
    );
    let environment = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    [compute(""), manifest("MLEnvironment", "image", environment), manifest("MLPipeline", "p", &spec)]
        .concat()
}

/// The names of the inputs of a job.
fn inputs(job: &Value) -> Result<Vec<String>> {
    let inputs = job["inputs"].as_object().with_context(|| format!("no inputs: {job}"))?;
    Ok(inputs.keys().cloned().collect())
}

/// Calls the endpoint with some inputs; how many the job has that it makes.
async fn called(scene: &Scene, inputs: Value) -> Result<usize> {
    let pipeline = scene.api::<MLPipeline>().get("p").await?;
    let endpoint = pipeline.status.and_then(|status| status.endpoint);
    let address = endpoint.and_then(|endpoint| endpoint.scoring_uri).context("no address")?;
    let (http, arm) = scene.azure_client().await?;
    let token = scene.azure_token(&http, "https://ml.azure.com").await?;
    let body = json!({"properties": {"inputData": inputs}});
    let answer = http.post(address).bearer_auth(token).json(&body).send().await?;
    let (status, said) = (answer.status(), answer.text().await?);
    ensure!(status == 201, "{status}: {said}");
    let name = serde_json::from_str::<Value>(&said)?["name"].as_str().context("no name")?.to_owned();
    let (subscription, azure) = (scene.azure.subscription_id(), scene.azure.endpoint());
    let url = format!(
        "{azure}/subscriptions/{subscription}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/mlw-team-a/jobs/{name}?api-version=2025-12-01"
    );
    let job: Value = http.get(url).bearer_auth(arm).send().await?.error_for_status()?.json().await?;
    let inputs = job["properties"]["inputs"].as_object();
    Ok(inputs.map_or(0, |inputs| inputs.values().filter(|input| !input.is_null()).count()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_a_value_has_no_such_input() -> Result<()> {
    let scene = Scene::set("optional", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline())).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    let label = "pipelineRef: {name: p}, inputs: {label: night}";
    for (name, spec, given) in [("none", "pipelineRef: {name: p}", vec![]), ("one", label, vec!["label"])] {
        scene.apply_objects(&manifest("MLRun", name, spec)).await?;
        let is_done = |run: &MLRun| {
            run.status.as_ref().is_some_and(|status| status.phase.is_some_and(Phase::is_finished))
        };
        let run = scene.wait::<MLRun>(name, "finished", is_done).await?;
        ensure!(
            run.status.as_ref().is_some_and(|status| status.phase == Some(Phase::Succeeded)),
            "{:?}",
            run.status
        );
        assert_eq!(inputs(&last_body(&scene, "PUT workspaces/jobs")?["properties"])?, given);
        let spec = format!("{spec}, cron: '0 6 * * 1'");
        scene.apply_objects(&manifest("MLSchedule", name, &spec)).await?;
        ready::<MLSchedule>(&scene, name).await?;
        let body = last_body(&scene, "PUT workspaces/schedules")?;
        assert_eq!(inputs(&body["properties"]["action"]["jobDefinition"])?, given);
    }
    assert_eq!(accepted(&scene, "PUT workspaces/jobs"), 2);
    assert_eq!(called(&scene, json!({})).await?, 0);
    assert_eq!(called(&scene, json!({"label": {"jobInputType": "Literal", "value": "night"}})).await?, 1);
    scene.check_contract()?;
    operator.stop()
}
