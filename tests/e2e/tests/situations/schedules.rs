//! Schedules that fire: Azure ML starts the job by itself, with the values of the schedule, on its own clock.

use crate::{accepted, manifest, pipeline, ready, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLSchedule;
use azureml_e2e::{Scene, Setting};
use azureml_simulator::Times;
use jiff::SignedDuration;
use serde_json::Value;

/// The jobs that the workspace has.
async fn jobs(scene: &Scene) -> Result<Vec<Value>> {
    let (http, token) = scene.azure_client().await?;
    let url = format!(
        "{}/subscriptions/{}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/mlw-team-a/jobs?api-version=2025-12-01",
        scene.azure.endpoint(),
        scene.azure.subscription_id()
    );
    let mut page: Value = http.get(url).bearer_auth(token).send().await?.error_for_status()?.json().await?;
    Ok(page["value"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_fires_at_its_time_with_its_values() -> Result<()> {
    let mut setting = Setting::default();
    setting.azure.virtual_clock = true;
    setting.azure.times = Times::scaled(0.0);
    let scene = Scene::set("fires", setting).await?;
    let operator = scene.operator().await?;
    let spec = "pipelineRef: {name: p}, cron: '* * * * *', timeZone: Europe/Zurich, inputs: {trees: 7}";
    scene.apply_objects(&(workspace("") + &pipeline("") + &manifest("MLSchedule", "often", spec))).await?;
    let schedule = ready::<MLSchedule>(&scene, "often").await?;
    ensure!(schedule["status"]["timeZone"] == "W. Europe Standard Time", "{schedule}");
    ensure!(schedule["status"]["next"].as_array().is_some_and(|next| !next.is_empty()), "{schedule}");
    // Azure ML fires by itself, also while this cluster is down.
    operator.stop()?;
    assert_eq!(jobs(&scene).await?, [Value::Null; 0]);
    scene.azure.advance(SignedDuration::from_mins(3)).context("the clock does not move")?;
    let jobs = jobs(&scene).await?;
    assert_eq!(jobs.len(), 3, "one a minute: {jobs:?}");
    for job in jobs {
        assert_eq!(job["properties"]["inputs"]["trees"]["value"], "7", "{job}");
    }
    assert_eq!(accepted(&scene, "PUT workspaces/jobs"), 0, "the schedule makes jobs, not the operator");
    scene.check_contract()
}
