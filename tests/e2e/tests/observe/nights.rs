//! A night that fails, as people see it: columns of kubectl, an event, an alert of a real Prometheus with its runbook; and the next
//! good night, which clears it.

use super::prometheus::Prometheus;
use super::{chart, page, program};
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Scene, Setting};
use serde_json::{Value, json};

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
    let soon = SOON.replace("intervals: {", "intervals: {firingCheck: 1s, ");
    let setting = Setting { config: format!("{GRANTS}{soon}"), ..Setting::default() };
    let scene = Scene::set("nights", setting).await?;
    let operator = scene.operator().await?;
    let prometheus = Prometheus::start(&program, &[operator.address()?], &chart("files/alerts.yaml")).await?;
    for file in ["workspace", "computes"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    scene.apply(NIGHTLY).await?;
    scene.kubectl(&["wait", "mlschedule/nightly", "--for=condition=Ready", "--timeout=60s"]).await?;
    let fails = json!({"fail": {"code": "UserError", "message": "there is no package called caret"}});
    let fault = json!({"when": "outcome", "match": {"path": "/steps/train"}, "do": fails, "times": 1});
    scene.azure.fault(fault).map_err(anyhow::Error::msg)?;

    night(&scene, "False").await?;
    let shown = scene.kubectl(&["get", "mlsched", "nightly", "-o", "wide"]).await?;
    for word in
        ["LAST", "RESULT", "MESSAGE", "Failed", "step train of job", "there is no package called caret"]
    {
        ensure!(shown.contains(word), "{word} is not in {shown}");
    }
    let events = scene.kubectl(&["get", "events", "--field-selector", "reason=RunFailed"]).await?;
    ensure!(events.contains("Warning") && events.contains("no package called caret"), "{events}");
    let alert = prometheus
        .until("the alert of a failed night", |it| async move { Ok(firing(it).await?.into_iter().next()) })
        .await?;
    let link = alert["annotations"]["runbook_url"].as_str().context("no link")?;
    ensure!(link.ends_with(&format!("#{}", ALERT.to_lowercase())), "{alert}");
    ensure!(
        std::fs::read_to_string(page("alerts.md"))?.contains(&format!("## {ALERT}\n")),
        "{link} leads nowhere"
    );

    night(&scene, "True").await?;
    let shown = scene.kubectl(&["get", "mlsched", "nightly", "-o", "wide"]).await?;
    ensure!(shown.contains("Succeeded") && !shown.contains("no package"), "{shown}");
    prometheus
        .until("no alert any more", |it| async move { Ok(firing(it).await?.is_empty().then_some(())) })
        .await?;
    operator.stop()
}
