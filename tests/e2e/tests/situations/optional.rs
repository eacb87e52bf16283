//! Optional inputs: a run and a schedule without a value have no such input, and say so to nobody.

use crate::{accepted, compute, last_body, manifest, ready, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::ml_run::Phase;
use azureml_crds::{MLPipeline, MLRun, MLSchedule};
use azureml_e2e::{Scene, Setting};
use serde_json::Value;

/// A pipeline with an optional text and optional data, in a step each.
fn pipeline() -> String {
    let bound = |name: &str| {
        format!(
            "{{name: {name}, command: 'echo $[[--{name} ${{{{inputs.{name}}}}}]]', inputs: {{{name}: '${{{{parent.inputs.{name}}}}}'}}}}"
        )
    };
    let spec = format!(
        "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}}}, \
         inputs: {{label: {{type: string, optional: true}}, raw: {{type: uri_folder, optional: true}}}}, steps: [{}, {}]",
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
    scene.check_contract()?;
    operator.stop()
}
