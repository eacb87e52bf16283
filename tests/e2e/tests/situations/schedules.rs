//! Schedules that fire: Azure ML starts the job by itself, with the values of the schedule, on its own clock. And those
//! that are deleted before Azure shows them.

use super::{accepted, fault, manifest, patch, pipeline, ready, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_controller::telemetry::texts;
use azureml_crds::{MLPipeline, MLSchedule};
use azureml_e2e::operator::soon_with_lease;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Operator, PATIENCE, Scene, Setting};
use azureml_simulator::{Entry, Times};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

/// What the workspace has of a collection.
async fn listed(scene: &Scene, collection: &str) -> Result<Vec<Value>> {
    let (http, token) = scene.azure_client().await?;
    let url = format!(
        "{}/subscriptions/{}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/mlw-team-a/{collection}?api-version=2025-12-01&listViewType=All",
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
    ensure!(listed(&scene, "jobs").await?.is_empty(), "nothing is due yet");
    scene.azure.advance(SignedDuration::from_mins(3)).context("the clock does not move")?;
    let jobs = listed(&scene, "jobs").await?;
    assert_eq!(jobs.len(), 3, "one a minute: {jobs:?}");
    for job in jobs {
        assert_eq!(job["properties"]["inputs"]["trees"]["value"], "7", "{job}");
    }
    assert_eq!(accepted(&scene, "PUT workspaces/jobs"), 0, "the schedule makes jobs, not the operator");
    scene.check_contract()
}

/// A scene with a pipeline, in an Azure that does not show a schedule for so long.
async fn hiding(name: &str, hidden: Duration) -> Result<(Scene, Operator)> {
    // Some of these operators are killed, and their lease is waited for.
    let config = format!("{GRANTS}{}", soon_with_lease(6, 5));
    let mut setting = Setting { config, ..Setting::default() };
    (setting.azure.times.schedule, setting.azure.times.spreads) = (hidden, false);
    let scene = Scene::set(name, setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline(""))).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    Ok((scene, operator))
}

fn nightly() -> String {
    manifest("MLSchedule", "nightly", "pipelineRef: {name: p}, cron: '0 3 * * *'")
}

/// Applies the schedule and waits until Azure has taken it.
async fn begin(scene: &Scene) -> Result<()> {
    scene.apply_objects(&nightly()).await?;
    // Once Azure has answered, or lost its answer: before that it may not have heard of it.
    let is_done = |entry: &Entry| is_made(entry) && (entry.status.is_some() || entry.fault.is_some());
    let is_taken = |log: &[Entry]| log.iter().any(is_done).then_some(());
    scene.azure.wait_for(PATIENCE, is_taken).await.context("the schedule was never sent")
}

/// Whether a request makes or changes an enabled schedule.
fn is_made(entry: &Entry) -> bool {
    entry.operation == "PUT workspaces/schedules" && entry.json_body()["properties"]["isEnabled"] == true
}

/// The schedule is deleted: it was sent once, was looked for in vain, and is gone from Azure for good.
async fn nothing_is_left(scene: &Scene, since: usize) -> Result<()> {
    scene.wait_gone::<MLSchedule>("nightly").await?;
    let requests = scene.azure.requests();
    let in_vain = |entry: &&Entry| {
        entry.method == "GET" && entry.url.contains("/schedules/") && entry.status == Some(404)
    };
    ensure!(
        requests[since..].iter().any(|entry| in_vain(&entry)),
        "it was there: {}",
        scene.requests_shown(20)
    );
    let made = requests.iter().filter(|entry| is_made(entry)).count();
    ensure!(made == 1, "it was sent {made} times: {}", scene.requests_shown(20));
    ensure!(accepted(scene, "DELETE workspaces/schedules") == 1, "{}", scene.requests_shown(20));
    ensure!(listed(scene, "schedules").await?.is_empty(), "it would fire for ever");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_deleted_before_azure_shows_it_leaves_nothing() -> Result<()> {
    let (scene, operator) = hiding("unseen", Duration::from_secs(3)).await?;
    begin(&scene).await?;
    let since = scene.azure.requests().len();
    scene.delete_objects(&nightly()).await?;
    nothing_is_left(&scene, since).await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_a_killed_process_began_is_waited_for() -> Result<()> {
    let (scene, operator) = hiding("unknown", Duration::from_secs(12)).await?;
    begin(&scene).await?;
    operator.kill();
    let since = scene.azure.requests().len();
    scene.delete_objects(&nightly()).await?;
    let operator = scene.operator().await?;
    nothing_is_left(&scene, since).await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_the_leader_before_began_is_waited_for() -> Result<()> {
    let (scene, operator) = hiding("standby", Duration::from_secs(12)).await?;
    // It watches when the schedule is made, and leads when it is deleted.
    let standby = Operator::start(&scene.start)?;
    standby.line(0, "that it waits", |line| line["message"] == texts::WAITING)?;
    begin(&scene).await?;
    operator.kill();
    let since = scene.azure.requests().len();
    scene.delete_objects(&nightly()).await?;
    standby.leads()?;
    nothing_is_left(&scene, since).await?;
    standby.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_whose_answer_was_lost_is_not_sent_again_and_leaves_nothing() -> Result<()> {
    let (scene, operator) = hiding("lost", Duration::from_secs(5)).await?;
    let lost =
        json!({"when": "after", "do": "reset", "match": {"method": "PUT", "path": "/schedules/", "nth": 1}});
    fault(&scene, lost)?;
    begin(&scene).await?;
    let since = scene.azure.requests().len();
    scene.delete_objects(&nightly()).await?;
    nothing_is_left(&scene, since).await?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_answer_was_lost_is_not_sent_again_while_azure_shows_the_old_state() -> Result<()> {
    let (scene, operator) = hiding("changed", Duration::from_secs(5)).await?;
    begin(&scene).await?;
    ready::<MLSchedule>(&scene, "nightly").await?;
    let lost =
        json!({"when": "after", "do": "reset", "match": {"method": "PUT", "path": "/schedules/", "nth": 1}});
    fault(&scene, lost)?;
    patch(&scene, "mlschedule/nightly", &json!({"spec": {"cron": "30 4 * * *"}})).await?;
    ready::<MLSchedule>(&scene, "nightly").await?;
    let is_put = |entry: &&azureml_simulator::Entry| entry.operation == "PUT workspaces/schedules";
    let puts = scene.azure.requests().iter().filter(is_put).count();
    ensure!(puts == 2, "{puts} PUTs:{}", scene.requests_shown(30));
    operator.stop()
}
