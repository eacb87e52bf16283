//! Flux beside the control plane that all tests share: started by the first that needs it, ended with the process.

use anyhow::{Context as _, Result, bail};
use azureml_control_plane::gitops::Flux;
use azureml_e2e::{PATIENCE, Scene, cluster};
use kube::api::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::wait::await_condition;
use serde_json::Value;
use std::sync::OnceLock;

static FLUX: OnceLock<Result<Flux, String>> = OnceLock::new();

/// Starts Flux, once.
pub async fn running() -> Result<()> {
    tokio::task::spawn_blocking(|| match FLUX.get_or_init(|| start().map_err(|error| format!("{error:#}"))) {
        Ok(_) => Ok(()),
        Err(error) => bail!("Flux does not start: {error}"),
    })
    .await?
}

/// In a runtime of its own: that of the test that comes first ends with that test.
fn start() -> Result<Flux> {
    let runtime = tokio::runtime::Runtime::new()?;
    Ok(runtime.block_on(Flux::start(cluster::shared()))?)
}

/// A condition of an object as JSON.
pub fn condition<'a>(object: &'a Value, r#type: &str) -> &'a Value {
    let all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.into_iter().find(|condition| condition["type"] == r#type).unwrap_or(&Value::Null)
}

fn kustomizations(scene: &Scene) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("kustomize.toolkit.fluxcd.io", "v1", "Kustomization");
    let resource = ApiResource::from_gvk_with_plural(&kind, "kustomizations");
    Api::namespaced_with(scene.kube.clone(), &scene.namespace, &resource)
}

/// A Kustomization as it is now.
pub async fn get(scene: &Scene, name: &str) -> Result<Value> {
    Ok(serde_json::to_value(kustomizations(scene).get(name).await?)?)
}

/// Waits, on a watch, until a Kustomization is as it should be.
pub async fn wait(
    scene: &Scene,
    name: &str,
    what: &str,
    is_so: impl Fn(&Value) -> bool + Send + Sync,
) -> Result<Value> {
    let condition = |object: Option<&DynamicObject>| {
        object.and_then(|object| serde_json::to_value(object).ok()).is_some_and(|object| is_so(&object))
    };
    let api = kustomizations(scene);
    let waited = tokio::time::timeout(PATIENCE, await_condition(api.clone(), name, condition)).await;
    if let Ok(found) = waited {
        return Ok(serde_json::to_value(found?.context("it is gone")?)?);
    }
    let object = serde_json::to_value(api.get_opt(name).await?)?;
    let ours = scene.kubectl(&["get", "azureml"]).await.unwrap_or_default();
    bail!("Kustomization {name} is not {what}:\n{:#}\n{ours}", object["status"])
}
