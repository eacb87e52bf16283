//! Many MLRuns that have ended: what they weigh, and what a look at all of them costs.

use crate::figures::Figures;
use crate::measure::{Budget, all_ready, azure, metric, number, requests, scene};
use anyhow::{Context as _, Result};
use azureml_crds::{MLPipeline, MLRun};
use azureml_e2e::{Operator, Scene};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::ObjectMeta;
use serde_json::{Value, json};
use std::time::Duration;

/// How many requests to Kubernetes are made at once.
const AT_ONCE: usize = 32;
/// Longer than a comparison of all objects takes.
const RESYNC: &str = "30s";
/// Time in which each object is compared at least once.
const LOOK: Duration = Duration::from_mins(1);

/// One run that really ended, and so many that have its status.
pub async fn ended(figures: &mut Figures, count: usize) -> Result<()> {
    let scene = scene(azure(false), RESYNC, Budget::Default).await?;
    let operator = scene.operator().await?;
    for file in ["workspace", "computes"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    scene.apply(crate::nights::PIPELINE).await?;
    all_ready::<MLPipeline>(&scene, 1).await?;
    scene.apply("apiVersion: azureml.dev/v1alpha1\nkind: MLRun\nmetadata: {name: first}\nspec: {pipelineRef: {name: p}}\n").await?;
    let is_over = |run: &MLRun| {
        run.status
            .as_ref()
            .is_some_and(|status| status.phase.as_ref().is_some_and(|phase| phase.is_finished()))
    };
    let first = scene.wait::<MLRun>("first", "over", is_over).await?;
    let before = anonymous(&operator).await?;
    operator.stop()?;
    copied(&scene, &first, count).await?;
    figures.take("one run that ended: memory, anonymous".to_owned(), "MB", before);
    let what = format!("{count} runs that ended");
    let since = scene.azure.requests().len();
    let operator = scene.operator().await?;
    all_ready::<MLPipeline>(&scene, 1).await?;
    tokio::time::sleep(LOOK).await;
    figures.take(format!("{what}: memory, anonymous"), "MB", anonymous(&operator).await?);
    let of_jobs = requests(&scene, since..).iter().filter(|entry| entry.url.contains("/jobs")).count();
    figures.take(format!("{what}: requests about jobs in a start and two comparisons"), "", number(of_jobs));
    figures.take(
        format!("{what}: processor time of a start and two comparisons"),
        "s",
        metric(&operator, "process_cpu_seconds").await?,
    );
    operator.stop()
}

async fn anonymous(operator: &Operator) -> Result<f64> {
    Ok(metric(operator, "process_anonymous_memory_bytes").await? / 1e6)
}

/// Makes runs with the spec and the status of one.
async fn copied(scene: &Scene, first: &MLRun, count: usize) -> Result<()> {
    let api = scene.api::<MLRun>();
    let status = serde_json::to_value(first.status.as_ref().context("no status")?)?;
    let made = stream::iter(0..count).map(async |number| {
        let name = format!("r{number}");
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            finalizers: first.metadata.finalizers.clone(),
            ..ObjectMeta::default()
        };
        api.create(&PostParams::default(), &MLRun { metadata, spec: first.spec.clone(), status: None })
            .await?;
        let mut status: Value = status.clone();
        status["jobName"] = json!(name);
        let status = Patch::Merge(json!({"status": status}));
        api.patch_status(&name, &PatchParams::default(), &status).await.map(drop).map_err(anyhow::Error::from)
    });
    made.buffer_unordered(AT_ONCE).try_collect().await
}
