//! What Git says is applied, waited for, left alone, and changed where it changed.

use super::{Stage, flux};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLEnvironment, MLPipeline};
use azureml_e2e::{PATIENCE, audit};
use azureml_plan::report::is_ready;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

const FOLDERS: [&str; 2] = ["examples/r-gbm", "examples/python-parallel"];

#[tokio::test(flavor = "multi_thread")]
async fn what_git_says_is_applied_waited_for_and_then_left_alone() -> Result<()> {
    let (stage, first) = Stage::set("applied", &FOLDERS).await?;
    not_ready_while_a_build_goes_on(&stage, &first).await?;
    stage.ready("r-gbm", &first).await?;
    let mut objects = stage.objects().await?;
    // The second folder follows at once.
    objects.retain(|name, _| !name.contains("python"));
    ensure!(objects.len() == 6, "{objects:?}");
    ensure!(objects.values().all(|ready| ready == "True Succeeded"), "ready too early: {objects:?}");
    // The second folder was kept back until the first was ready.
    stage.ready("python-parallel", &first).await?;
    let objects = stage.objects().await?;
    ensure!(objects.len() == 8, "{objects:?}");
    ensure!(objects.values().all(|ready| ready == "True Succeeded"), "ready too early: {objects:?}");
    ten_syncs_write_nothing(&stage).await?;
    a_moved_file_changes_nothing(&stage).await?;
    one_byte_is_one_build(&stage).await?;
    stage.end().await
}

async fn not_ready_while_a_build_goes_on(stage: &Stage, revision: &str) -> Result<()> {
    let scene = &stage.scene;
    let hold = json!({"match": {"path": "taskRuns/"}, "when": "outcome", "do": "hold"});
    let hold = scene.azure.fault(hold).map_err(anyhow::Error::msg)?;
    stage.watch(&["r-gbm", "python-parallel"]).await?;
    let waits = |kustomization: &Value| {
        let healthy = flux::condition(kustomization, "Healthy");
        healthy["message"].as_str().is_some_and(|message| message.starts_with("Running health checks"))
    };
    flux::wait(scene, "r-gbm", "waiting for health", waits).await?;
    let builds = |environment: &MLEnvironment| {
        let status = environment.status.clone().unwrap_or_default();
        status.common.conditions.iter().any(|it| it.type_ == "Reconciling" && it.reason == "Building")
    };
    scene.wait("r-gbm", "being built", builds).await?;
    // Everything that needs no image is ready, and still Flux waits.
    for cluster in ["cpu", "big"] {
        let is_so = |compute: &azureml_crds::MLCompute| {
            compute.status.as_ref().is_some_and(|status| is_ready(&status.common.conditions))
        };
        scene.wait(cluster, "ready", is_so).await?;
    }
    let waiting = flux::get(scene, "r-gbm").await?;
    ensure!(flux::condition(&waiting, "Ready")["status"] == "Unknown", "{waiting:#}");
    ensure!(waiting["status"]["lastAppliedRevision"].is_null(), "{waiting:#}");
    ensure!(waiting["status"]["lastAttemptedRevision"] == revision, "{waiting:#}");
    let behind = flux::get(scene, "python-parallel").await?;
    ensure!(flux::condition(&behind, "Ready")["reason"] == "DependencyNotReady", "{behind:#}");
    ensure!(scene.azure.release(&hold, false), "there is no such fault");
    Ok(())
}

/// Waits until of each object it is told that it is ready: events are written aside, one after the other.
async fn everything_is_told(stage: &Stage) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let told = stage.told().await?;
        let is_told =
            |name: &String| told.iter().any(|(object, what)| object == name && what.starts_with("Succeeded"));
        if stage.scene.versions().await?.keys().all(is_told) {
            return Ok(());
        }
        ensure!(Instant::now() < until, "not of every object it is told that it is ready: {told:#?}");
    }
}

async fn ten_syncs_write_nothing(stage: &Stage) -> Result<()> {
    everything_is_told(stage).await?;
    let (requests, versions) = (stage.scene.azure.requests().len(), stage.scene.versions().await?);
    let (asked, told) = (audit::of(&stage.user)?.len(), stage.told().await?);
    for number in 1..=10 {
        for name in ["r-gbm", "python-parallel"] {
            let value = format!("sync-{number}");
            stage.request(&format!("kustomization/{name}"), &value).await?;
            let is_done = |kustomization: &Value| {
                kustomization["status"]["lastHandledReconcileAt"] == value
                    && flux::condition(kustomization, "Ready")["status"] == "True"
            };
            flux::wait(&stage.scene, name, &value, is_done).await?;
        }
    }
    assert_eq!(stage.scene.versions().await?, versions);
    ensure!(stage.scene.azure.requests().len() == requests, "{}", stage.scene.requests_shown(10));
    // Nor to anything else: no event, nothing but its lease.
    assert_eq!(audit::writes(&stage.user, asked)?, []);
    assert_eq!(stage.told().await?, told);
    ensure!(!audit::writes(&stage.user, 0)?.is_empty(), "the operator is not found in the audit log");
    Ok(())
}

async fn a_moved_file_changes_nothing(stage: &Stage) -> Result<()> {
    let (requests, versions) = (stage.scene.azure.requests().len(), stage.scene.versions().await?);
    // Another name, and another folder: Flux takes all that lie below its path.
    stage.repository.rename("examples/r-gbm/pipeline.yaml", "examples/r-gbm/training.yaml")?;
    stage.repository.rename("examples/r-gbm/schedule.yaml", "examples/r-gbm/nightly/schedule.yaml")?;
    let revision = stage.push("Move two files").await?;
    stage.ready("r-gbm", &revision).await?;
    assert_eq!(stage.scene.versions().await?, versions);
    ensure!(stage.scene.azure.requests().len() == requests, "{}", stage.scene.requests_shown(10));
    Ok(())
}

async fn one_byte_is_one_build(stage: &Stage) -> Result<()> {
    let version = async || {
        let pipeline = stage.scene.api::<MLPipeline>().get("r-gbm").await?;
        pipeline.status.and_then(|status| status.version).context("the pipeline has no version")
    };
    let (since, before) = (stage.scene.azure.requests().len(), version().await?);
    stage.repository.replace("examples/r-gbm/environment.yaml", "r-ver:4.4.2", "r-ver:4.4.3")?;
    let revision = stage.push("Take the next R").await?;
    stage.ready("r-gbm", &revision).await?;
    ensure!(version().await? != before, "the pipeline is still of version {before}");
    let expected = [
        ("POST registries/listBuildSourceUploadUrl", 1),
        ("PUT blob", 1),
        ("PUT registries/taskRuns", 1),
        ("PUT workspaces/batchEndpoints", 1),
        ("PUT workspaces/batchEndpoints/deployments", 1),
        ("PUT workspaces/components/versions", 3),
        ("PUT workspaces/environments/versions", 1),
        ("PUT workspaces/schedules", 1),
    ];
    let expected: BTreeMap<String, usize> = expected.map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(stage.counted(since), expected);
    Ok(())
}
