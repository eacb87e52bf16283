//! The aim: to make the operator run out of memory, for all, by what it has to read of the attacker's. Each test has a control
//! plane of its own, which is slow with so much.
//!
//! Before: 150 pipelines of 1.3 MB, which the definition allows, took 422 MiB at the start; the chart's limit is 256 MiB. Now: 105 MiB for as many.
//! Before: long commands had no bound at all but etcd's. Now: 24 MiB for a namespace.

use anyhow::{Context as _, Result, ensure};
use azureml_control_plane::{ControlPlane, Options};
use azureml_controller::telemetry::texts;
use azureml_crds::MLWorkspace;
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Operator, Scene, Setting, cluster};
use azureml_plan::reasons::Reason;
use azureml_plan::report;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

/// The chart's limit, in bytes, less a fifth: a program that is built for tests is larger.
const MOST: u64 = (256 << 20) / 5 * 4;
/// Half of the attack's: enough to go beyond the limit, if files were kept.
const PIPELINES: usize = 75;
const STEPS: usize = 5;

const WORKSPACE: &str = "{apiVersion: azureml.dev/v1alpha1, kind: MLWorkspace, metadata: {name: team-a}, spec: {subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg-ml, workspaceName: mlw-team-a}}";

/// A pipeline with as many files as its definition lets through.
fn pipeline(number: usize) -> Value {
    let file = |place: usize| (format!("data-{place}.txt"), json!(format!("{place:04}").repeat(16_000)));
    let step = |place: usize| {
        let files: serde_json::Map<String, Value> = (0..4).map(file).collect();
        json!({"name": format!("s{place}"), "command": "true", "code": {"files": files}})
    };
    let steps: Vec<Value> = (0..STEPS).map(step).collect();
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": format!("large-{number}")},
        "spec": {"workspaceRef": {"name": "elsewhere"}, "steps": steps,
            "defaults": {"compute": {"name": "cpu"}, "environment": {"ref": "image"}}}})
}

/// As many as go beyond what is kept of a namespace, 24 MiB.
const WORDY: usize = 120;

/// A pipeline whose commands are as long as an object may be.
fn wordy(number: usize) -> Value {
    let step = |place: usize| json!({"name": format!("s{place}"), "command": format!("echo {}", "word ".repeat(12_000))});
    let steps: Vec<Value> = (0..4).map(step).collect();
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": format!("wordy-{number}")},
        "spec": {"workspaceRef": {"name": "team-a"}, "steps": steps,
            "defaults": {"compute": {"name": "cpu"}, "environment": {"ref": "image"}}}})
}

fn pipelines(scene: &Scene) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("azureml.dev", "v1alpha1", "MLPipeline");
    Api::namespaced_with(scene.kube.clone(), &scene.namespace, &ApiResource::from_gvk(&kind))
}

async fn plane() -> Result<ControlPlane> {
    let options = Options { crds: cluster::definitions(), ..Options::default() };
    Ok(ControlPlane::start(options).await?)
}

/// An operator among objects that were made before, until its workspace is ready.
async fn among(plane: &ControlPlane, name: &str, objects: Vec<Value>) -> Result<(Scene, Operator)> {
    // With the usual lease: a control plane of one process is slow with so much, and it is the same for all.
    let usual: Vec<&str> = SOON.lines().filter(|line| !line.starts_with("lease:")).collect();
    let config = format!("{GRANTS}{}", usual.join("\n"));
    let scene = Scene::set_on(plane, name, Setting { config, ..Setting::default() }).await?;
    let all = pipelines(&scene);
    let made = futures::stream::iter(objects).map(|object| {
        let all = all.clone();
        async move {
            all.create(&PostParams::default(), &serde_json::from_value(object)?)
                .await
                .map_err(anyhow::Error::from)
        }
    });
    made.buffer_unordered(4).try_collect::<Vec<_>>().await?;
    let operator = scene.operator().await?;
    scene.apply_objects(WORKSPACE).await?;
    let is_ready = |workspace: &MLWorkspace| {
        workspace.status.as_ref().is_some_and(|status| report::is_ready(&status.common.conditions))
    };
    let is_ready = scene.wait::<MLWorkspace>("team-a", "ready", is_ready).await;
    is_ready.with_context(|| format!("the last lines of the log:{}", operator.tail(10)))?;
    Ok((scene, operator))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_files_does_not_weigh_on_the_operator() -> Result<()> {
    let plane = plane().await?;
    let (_scene, operator) = among(&plane, "starve", (0..PIPELINES).map(pipeline).collect()).await?;
    let peak = operator.peak_memory()?;
    println!("{PIPELINES} pipelines: {} MiB at most", peak >> 20);
    ensure!(peak < MOST, "{} MiB", peak >> 20);
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_commands_weighs_on_its_own_namespace() -> Result<()> {
    let plane = plane().await?;
    let (scene, operator) = among(&plane, "wordy", (0..WORDY).map(wordy).collect()).await?;
    let no_room = |line: &Value| {
        line["reason"] == Reason::UNREADABLE.word() && line.to_string().contains(texts::NO_ROOM)
    };
    operator.line(0, "that an object has no room", no_room)?;
    let peak = operator.peak_memory()?;
    println!("{WORDY} pipelines with long commands: {} MiB at most", peak >> 20);
    ensure!(peak < MOST, "{} MiB", peak >> 20);
    scene.check_contract()?;
    operator.stop()
}
