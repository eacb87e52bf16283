//! The aim: to make one object that hides all others, so that no new process ever becomes ready.
//!
//! Before: `inputs` that nest 130 deep were taken, and failed the whole list for every tenant.

use super::{granting, manifest, ready, workspace};
use anyhow::{Context as _, Result, bail, ensure};
use azureml_crds::{MLRun, MLWorkspace};
use azureml_e2e::{PATIENCE, Scene, Setting};
use azureml_plan::reasons::Reason;
use futures::StreamExt as _;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::{Value, json};
use std::pin::pin;
use std::time::Duration;

fn deep(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

/// Values are scalars by the schema.
async fn nothing_else_is_taken(scene: &Scene) -> Result<()> {
    for value in [deep(1), deep(130), "{a: 1}".to_owned()] {
        let spec = format!("pipelineRef: {{name: p}}, inputs: {{deep: {value}}}");
        for (kind, more) in [("MLRun", ""), ("MLSchedule", ", cron: '0 3 * * *'")] {
            let refused = scene.apply(&manifest(kind, "deep", &format!("{spec}{more}"))).await;
            ensure!(refused.is_err(), "{kind} with {value} is taken");
        }
    }
    let spec = "pipelineRef: {name: p}, inputs: {a: text, b: 0.5, c: true, d: 12}";
    scene.apply(&manifest("MLRun", "scalars", spec)).await?;
    Ok(())
}

/// Gives runs another schema of their spec, as another version's definition may, and takes that back.
async fn definition(scene: &Scene, spec: &Value) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(scene.kube.clone());
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
    let operation = json!([{"op": "replace", "path": path, "value": spec}]);
    let operation: Patch<()> = Patch::Json(serde_json::from_value(operation)?);
    definitions.patch("mlruns.azureml.dev", &PatchParams::default(), &operation).await?;
    Ok(())
}

/// Makes objects that no version of today could, and gives their names.
async fn make_unreadable(scene: &Scene) -> Result<Vec<&'static str>> {
    let definitions: Api<CustomResourceDefinition> = Api::all(scene.kube.clone());
    let before = serde_json::to_value(definitions.get("mlruns.azureml.dev").await?)?;
    let strict = &before["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let lax = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true,
        "properties": {"pipelineRef": {"type": "object", "properties": {"name": {"type": "string"}}}}});
    definition(scene, &lax).await?;
    let bad = [
        ("deep", format!("inputs: {{a: {}}}", deep(500))),
        ("wrong", "experiment: 7".to_owned()),
        ("newer", "deletionPolicy: Someday".to_owned()),
        ("large", format!("experiment: [{}]", vec!["'a text that is long'"; 20_000].join(", "))),
    ];
    let mut made = Ok(());
    for (name, more) in &bad {
        let object = manifest("MLRun", name, &format!("pipelineRef: {{name: p}}, {more}"));
        made = made.and(create_when_allowed(scene, &object).await);
    }
    definition(scene, strict).await?;
    made.map(|()| bad.map(|(name, _)| name).to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_read_hides_no_other() -> Result<()> {
    let setting = Setting { config: granting("{namespaces: ['*']}"), ..Setting::default() };
    let scene = Scene::set("hide", setting).await?;
    nothing_else_is_taken(&scene).await?;
    let bad = make_unreadable(&scene).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &manifest("MLRun", "good", "pipelineRef: {name: p}"))).await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    super::says::<MLRun>(&scene, "good", "False", "ReferenceNotFound").await?;
    for name in &bad {
        let told = tokio::time::timeout(PATIENCE, told(&scene, name)).await;
        told.with_context(|| format!("no event of {name}: {}", operator.tail(10)))??;
    }
    let log = operator.tail(usize::MAX);
    ensure!(log.len() < 200_000 && !log.contains("a text that is long"), "{} bytes of log", log.len());
    for name in &bad {
        scene.kubectl(&["delete", "mlrun", name]).await?;
    }
    operator.stop()
}

/// The API server needs a moment until it takes what a new definition allows.
async fn create_when_allowed(scene: &Scene, object: &str) -> Result<()> {
    let mut tries = tokio::time::interval(Duration::from_millis(200));
    let created = async {
        while scene.kubectl_with(&["create", "--validate=false", "-f", "-"], Some(object)).await.is_err() {
            tries.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, created).await.context("the definition still refuses it")
}

/// Waits for the event that says of an object that it cannot be read.
async fn told(scene: &Scene, name: &str) -> Result<()> {
    let events: Api<Event> = Api::namespaced(scene.kube.clone(), &scene.namespace);
    let mut seen = pin!(watcher(events, watcher::Config::default()).applied_objects());
    while let Some(event) = seen.next().await {
        let event = event?;
        let regarding = event.regarding.unwrap_or_default();
        if event.reason.as_deref() == Some(Reason::UNREADABLE.word())
            && regarding.name.as_deref() == Some(name)
        {
            return Ok(());
        }
    }
    bail!("the watch of events has ended")
}
