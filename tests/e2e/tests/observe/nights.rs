//! A night that fails, as people see it: columns of kubectl, an event, an alert of a real Prometheus with its runbook; and the next
//! good night, which clears it.

use super::prometheus::Prometheus;
use super::{chart, page, program};
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Operator, Scene, Setting};
use serde_json::{Value, json};
use std::path::Path;

const ALERT: &str = "AzureMLOperatorScheduledRunFailed";

const NIGHTLY: &str = "apiVersion: azureml.dev/v1alpha1\nkind: MLEnvironment\nmetadata: {name: python}\n\
     spec: {workspaceRef: {name: team-a}, image: 'python:3.12-slim'}\n---\n\
     apiVersion: azureml.dev/v1alpha1\nkind: MLPipeline\nmetadata: {name: p}\nspec:\n  workspaceRef: {name: team-a}\n  \
     defaults: {compute: {ref: cpu}, environment: {ref: python}}\n  steps: [{name: train, command: 'echo hello'}]\n---\n\
     apiVersion: azureml.dev/v1alpha1\nkind: MLSchedule\nmetadata: {name: nightly}\nspec: {pipelineRef: {name: p}, cron: '0 3 * * *'}\n";

/// Somebody starts the schedule in studio, and its night ends so.
async fn night(scene: &Scene, ends: &str) -> Result<()> {
    let id = scene.kubectl(&["get", "mlschedule", "nightly", "-o", "jsonpath={.status.azureId}"]).await?;
    let (http, token) = scene.azure_client().await?;
    let url = format!("{}{}/trigger?api-version=2024-01-01-preview", scene.azure.endpoint(), id.trim());
    http.post(url)
        .bearer_auth(token)
        .json(&json!({"scheduleTime": "2026-01-05T05:00:00Z"}))
        .send()
        .await?
        .error_for_status()?;
    let asked = format!("azureml.dev/reconcile-requested-at={ends}");
    scene.kubectl(&["annotate", "mlschedule", "nightly", &asked, "--overwrite"]).await?;
    let condition = format!("--for=condition=LastRunSucceeded={ends}");
    scene.kubectl(&["wait", "mlschedule/nightly", &condition, "--timeout=60s"]).await.map(drop)
}

/// The alerts of failed runs that fire now.
async fn firing(prometheus: &Prometheus) -> Result<Vec<Value>> {
    let alerts = prometheus.get("alerts", &[]).await?;
    let alerts = alerts["alerts"].as_array().cloned().unwrap_or_default();
    let is_it = |alert: &Value| alert["labels"]["alertname"] == ALERT && alert["state"] == "firing";
    Ok(alerts.into_iter().filter(is_it).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_that_fails_is_seen_where_people_look_and_the_next_good_one_clears_it() -> Result<()> {
    let Some(program) = program("prometheus")? else { return Ok(()) };
    let (scene, operator, prometheus) = stage("nights", &program, NIGHTLY).await?;
    let fault = fails(&scene)?;
    night(&scene, "False").await?;
    ensure!(scene.azure.release(&fault, false), "there is no such fault");
    let shown = scene.kubectl(&["get", "mlsched", "nightly", "-o", "wide"]).await?;
    for word in
        ["LAST", "RESULT", "MESSAGE", "Failed", "step train of job", "there is no package called caret"]
    {
        ensure!(shown.contains(word), "{word} is not in {shown}");
    }
    let events = scene.kubectl(&["get", "events", "--field-selector", "reason=RunFailed"]).await?;
    ensure!(events.contains("Warning") && events.contains("no package called caret"), "{events}");
    let alert = fired(&prometheus).await?;
    ensure!(alert["labels"]["object_namespace"] == scene.namespace.as_str(), "{alert}");
    let link = alert["annotations"]["runbook_url"].as_str().context("no link")?;
    ensure!(link.ends_with(&format!("#{}", ALERT.to_lowercase())), "{alert}");
    ensure!(
        std::fs::read_to_string(page("alerts.md"))?.contains(&format!("## {ALERT}\n")),
        "{link} leads nowhere"
    );

    night(&scene, "True").await?;
    let shown = scene.kubectl(&["get", "mlsched", "nightly", "-o", "wide"]).await?;
    ensure!(shown.contains("Succeeded") && !shown.contains("no package"), "{shown}");
    cleared(&prometheus).await?;
    operator.stop()
}

/// An operator that a Prometheus watches with the chart's alerts, and a schedule that is ready.
async fn stage(name: &str, program: &Path, nightly: &str) -> Result<(Scene, Operator, Prometheus)> {
    let soon = SOON.replace("intervals: {", "intervals: {firingCheck: 1s, ");
    let setting = Setting { config: format!("{GRANTS}{soon}"), ..Setting::default() };
    let scene = Scene::set(name, setting).await?;
    let operator = scene.operator().await?;
    let prometheus = Prometheus::start(program, &[operator.address()?], &chart("files/alerts.yaml")).await?;
    for file in ["workspace", "computes"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    scene.apply(nightly).await?;
    scene.kubectl(&["wait", "mlschedule/nightly", "--for=condition=Ready", "--timeout=60s"]).await?;
    Ok((scene, operator, prometheus))
}

/// The step fails from now on; the name under which that ends.
fn fails(scene: &Scene) -> Result<String> {
    let fails = json!({"fail": {"code": "UserError", "message": "there is no package called caret"}});
    let fault = json!({"when": "outcome", "match": {"path": "/steps/train"}, "do": fails});
    scene.azure.fault(fault).map_err(anyhow::Error::msg)
}

/// The alert, once it fires.
async fn fired(prometheus: &Prometheus) -> Result<Value> {
    prometheus
        .until("the alert of a failed night", |it| async move { Ok(firing(it).await?.into_iter().next()) })
        .await
}

/// Waits until no alert fires.
async fn cleared(prometheus: &Prometheus) -> Result<()> {
    prometheus
        .until("no alert any more", |it| async move { Ok(firing(it).await?.is_empty().then_some(())) })
        .await
}

/// The nights begin by themselves, each minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_night_that_this_cluster_fires_and_that_fails_is_alerted_until_the_next_good_one() -> Result<()> {
    let Some(program) = program("prometheus")? else { return Ok(()) };
    let nightly = NIGHTLY.replace("cron: '0 3 * * *'", "engine: Controller, crons: ['* * * * *']");
    let (scene, operator, prometheus) = stage("fired-here", &program, &nightly).await?;
    let fault = fails(&scene)?;
    let ended = |how: &str| format!("--for=condition=LastRunSucceeded={how}");
    scene.kubectl(&["wait", "mlschedule/nightly", &ended("False"), "--timeout=150s"]).await?;
    let alert = fired(&prometheus).await?;
    let told = alert["annotations"]["description"].as_str().context("no description")?;
    let words = format!("The newest run of 1 schedules of {} failed.", scene.namespace);
    ensure!(told.starts_with(&words), "{alert}");
    ensure!(scene.azure.release(&fault, false), "there is no such fault");
    scene.kubectl(&["wait", "mlschedule/nightly", &ended("True"), "--timeout=150s"]).await?;
    cleared(&prometheus).await?;
    operator.stop()
}
