//! The story that the project must serve, point by point, on a real API server with the real operator.
//! Each test begins with an empty namespace and an empty workspace, and asserts on what Azure received.

mod again;
mod apply;
mod change;
mod drawn;
mod drift;
mod from_files;
mod imported;
mod leave;
mod logs;
mod planned;
mod run;
mod verbs;

use anyhow::{Context as _, Result};
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLSchedule, MLWorkspace};
use azureml_e2e::{Operator, Scene, Setting};
use azureml_plan::report::is_ready;
use azureml_simulator::Entry;
use std::collections::BTreeMap;

/// Everything of the example is ready, in the generation that the API server has now.
async fn all_ready(scene: &Scene) -> Result<()> {
    macro_rules! ready {
        ($($kind:ty: $name:literal),*) => {$(
            scene.wait::<$kind>($name, "ready", |object| {
                let common = object.status.as_ref().map(|status| status.common().clone()).unwrap_or_default();
                common.observed_generation == object.metadata.generation && is_ready(&common.conditions)
            }).await?;
        )*};
    }
    ready!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm");
    ready!(MLSchedule: "r-gbm-weekdays");
    let pipeline = scene
        .wait::<MLPipeline>("r-gbm", "in force", |pipeline| {
            pipeline.status.as_ref().is_some_and(|status| status.current.is_some())
        })
        .await?;
    let version = pipeline.status.and_then(|status| status.version).context("no version")?;
    scene
        .wait::<MLSchedule>("r-gbm-weekdays", "of the pipeline's version", |schedule| {
            schedule.status.as_ref().is_some_and(|status| status.version.as_ref() == Some(&version))
        })
        .await?;
    Ok(())
}

async fn told(name: &str) -> Result<(Scene, Operator)> {
    let scene = Scene::set(name, Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.kubectl(&["apply", "-f", "examples/r-gbm/"]).await?;
    all_ready(&scene).await?;
    Ok((scene, operator))
}

/// How often Azure was asked to change each type of thing: `PUT workspaces/computes` → 2.
fn counted(writes: &[Entry]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in writes {
        *counts.entry(entry.operation.clone()).or_insert(0) += 1;
    }
    counts
}

fn expected<const N: usize>(rows: [(&str, usize); N]) -> BTreeMap<String, usize> {
    rows.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

/// Waits until nothing is left to do: a forced pass over everything has been handled.
async fn force(scene: &Scene, value: &str) -> Result<()> {
    let kinds = "mlworkspaces,mlcomputes,mlenvironments,mldata,mlpipelines,mlschedules,mlruns";
    let annotation = format!("{}={value}", azureml_crds::RECONCILE_REQUESTED_AT);
    scene.kubectl(&["annotate", kinds, "--all", "--overwrite", &annotation]).await?;
    macro_rules! handled {
        ($($kind:ty: $name:literal),*) => {$(
            scene.wait::<$kind>($name, "handled", |object| {
                object.status.as_ref().and_then(|status| status.common().last_handled_reconcile_at.as_deref()) == Some(value)
            }).await?;
        )*};
    }
    handled!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm", MLSchedule: "r-gbm-weekdays");
    Ok(())
}

/// Changes an object as `kubectl patch` does.
async fn patch(scene: &Scene, object: &str, patch: &serde_json::Value) -> Result<()> {
    scene.kubectl(&["patch", object, "--type=merge", "-p", &patch.to_string()]).await.map(drop)
}
