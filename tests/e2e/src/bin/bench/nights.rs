//! Many schedules that fire at the same moment: how soon each tells how its run ended, and what that costs.

use crate::figures::Figures;
use crate::measure::{Budget, all_ready, azure, kubernetes_writes, number, requests, scene};
use anyhow::{Context as _, Result, bail};
use azureml_crds::{MLPipeline, MLSchedule};
use azureml_e2e::Scene;
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::json;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;

/// Time enough to apply all of them before they fire.
const BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// Longer than the row may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// The least that a pipeline can be.
pub const PIPELINE: &str = "apiVersion: azureml.dev/v1alpha1\nkind: MLEnvironment\nmetadata: {name: python}\n\
     spec: {workspaceRef: {name: team-a}, image: 'python:3.12-slim'}\n---\n\
     apiVersion: azureml.dev/v1alpha1\nkind: MLPipeline\nmetadata: {name: p}\nspec:\n  workspaceRef: {name: team-a}\n  \
     defaults: {compute: {ref: cpu}, environment: {ref: python}}\n  steps: [{name: only, command: 'echo hello'}]\n";

fn manifests(count: usize, fires: Timestamp) -> String {
    let mut text = String::new();
    for number in 0..count {
        let _ = write!(
            text,
            "---\napiVersion: azureml.dev/v1alpha1\nkind: MLSchedule\nmetadata: {{name: s{number}}}\nspec: {{pipelineRef: {{name: p}}, \
             recurrence: {{frequency: Day, interval: 1}}, timeZone: UTC, startTime: '{}'}}\n",
            fires.strftime("%Y-%m-%dT%H:%M:%S")
        );
    }
    text
}

/// The moment at which the last of so many schedules tells the end of its run.
async fn all_ended(scene: &Scene, count: usize) -> Result<Timestamp> {
    let api = scene.api::<MLSchedule>();
    let mut objects = pin!(watcher(api, watcher::Config::default()).default_backoff().touched_objects());
    let mut ended = HashSet::new();
    let wait = async {
        while let Some(object) = objects.next().await {
            let object = object?;
            let run = object.status.as_ref().and_then(|status| status.last_run.as_ref());
            if run.is_some_and(|run| run.phase.is_finished()) {
                ended.insert(object.name_any());
            }
            if ended.len() >= count {
                return Ok::<_, anyhow::Error>(Timestamp::now());
            }
        }
        bail!("the watch ended")
    };
    tokio::time::timeout(PATIENCE, wait).await.context("not every run was told")?
}

/// So many schedules fire in the same second, and a tenth of their runs fails.
pub async fn at_once(figures: &mut Figures, count: usize) -> Result<()> {
    let scene = scene(azure(false), "10m", Budget::Default).await?;
    let operator = scene.operator().await?;
    for file in ["workspace", "computes"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    scene.apply(PIPELINE).await?;
    all_ready::<MLPipeline>(&scene, 1).await?;
    let fires = Timestamp::now() + BEFORE;
    scene.apply(&manifests(count, fires)).await?;
    all_ready::<MLSchedule>(&scene, count).await?;
    let failed = count / 10;
    let fails = json!({"fail": {"code": "UserError", "message": "no such file"}});
    let fault = json!({"when": "outcome", "match": {"path": "/steps/only"}, "do": fails, "times": failed});
    scene.azure.fault(fault).map_err(anyhow::Error::msg)?;
    let (since, writes) = (scene.azure.requests().len(), kubernetes_writes().await?);
    let ended = all_ended(&scene, count).await?;
    let what = format!("{count} schedules fire at once, {failed} runs fail");
    figures.take(format!("{what}: firing to all lastRun"), "s", ended.duration_since(fires).as_secs_f64());
    let cost = requests(&scene, since..);
    let lists = cost.iter().filter(|entry| entry.url.contains("/jobs?")).count();
    let calls = cost.iter().filter(|entry| entry.url.contains("/children")).count();
    figures.take(format!("{what}: pages of lists of jobs"), "", number(lists));
    figures.take(format!("{what}: reads of steps"), "", number(calls));
    figures.take(format!("{what}: all requests to Azure"), "", number(cost.len()));
    let writes = kubernetes_writes().await? - writes;
    figures.take(format!("{what}: Kubernetes writes per schedule"), "", writes / number(count));
    operator.stop()
}
