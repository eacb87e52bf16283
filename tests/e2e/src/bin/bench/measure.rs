//! What is measured, and how: the API server's and the operator's own metrics, the simulator's log, watches.

use anyhow::{Context as _, Result, bail};
use azureml_crds::shared::HasCommon;
use azureml_e2e::scene::{GRANTS, GROUP, SUBSCRIPTION, WORKSPACE};
use azureml_e2e::{Operator, Scene, Setting, cluster};
use azureml_plan::report::is_ready;
use azureml_simulator::{Entry, Options, Times, WorkspaceSpec};
use futures::StreamExt as _;
use k8s_openapi::NamespaceResourceScope;
use kube::api::Api;
use kube::core::object::HasStatus;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fmt::Debug;
use std::pin::pin;
use std::slice::SliceIndex;
use std::time::{Duration, Instant};

/// Longer than any row may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// An Azure that answers at once.
pub fn azure(throttle: bool) -> Options {
    Options {
        subscription_id: SUBSCRIPTION.to_owned(),
        workspaces: vec![WorkspaceSpec::new(GROUP, WORKSPACE)],
        caps: false,
        throttle,
        times: Times::scaled(0.0),
        ..Options::default()
    }
}

/// The operator's own budget, lifted as Azure's throttling is.
const LIFTED: &str = "azure: {budget: {reads: {burst: 1e6, perSecond: 1e6}, writes: {burst: 1e6, perSecond: 1e6}, \
                      deletes: {burst: 1e6, perSecond: 1e6}, dataPlane: {burst: 1e6, perSecond: 1e6}}}\n";

/// The operator's own budget of requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// As it is shipped: what ARM grants.
    Default,
    /// Lifted as Azure's throttling is, so that a row shows the operator's own time.
    Lifted,
}

/// A scene with the operator's own intervals, but for the resync, and with the log that it is shipped with.
pub async fn scene(azure: Options, resync: &str, budget: Budget) -> Result<Scene> {
    scene_with(azure, resync, budget, "").await
}

/// The same, with more in the operator's configuration.
pub async fn scene_with(azure: Options, resync: &str, budget: Budget, more: &str) -> Result<Scene> {
    let budget = if budget == Budget::Default { "" } else { LIFTED };
    let config = format!("{more}{GRANTS}intervals: {{resync: {resync}}}\n{budget}");
    let mut scene = Scene::set("bench", Setting { azure, config }).await?;
    scene.start.log = Some("info".to_owned());
    Ok(scene)
}

/// Waits until so many objects of a kind are ready in their present generation; gives the moment of the last.
pub async fn all_ready<K>(scene: &Scene, count: usize) -> Result<Instant>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + HasStatus<Status: HasCommon>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let api: Api<K> = scene.api();
    let mut objects = pin!(watcher(api, watcher::Config::default()).default_backoff().touched_objects());
    let mut ready = HashSet::new();
    let wait = async {
        while let Some(object) = objects.next().await {
            let object = object?;
            let common = object.status().map(|status| status.common().clone()).unwrap_or_default();
            let is_so =
                common.observed_generation == object.meta().generation && is_ready(&common.conditions);
            if is_so {
                ready.insert(object.name_any())
            } else {
                ready.remove(&object.name_any())
            };
            if ready.len() >= count {
                return Ok::<_, anyhow::Error>(Instant::now());
            }
        }
        bail!("the watch ended")
    };
    tokio::time::timeout(PATIENCE, wait).await.context("not everything became ready")?
}

/// Writes to the operator's objects, as the API server counts them; events and the lease are other kinds.
pub async fn kubernetes_writes() -> Result<f64> {
    let plane = cluster::shared();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(plane.ca_file())?)?;
    let http = reqwest::Client::builder().tls_certs_only([ca]).build()?;
    let text = http
        .get(format!("{}/metrics", plane.endpoint()))
        .bearer_auth(plane.token())
        .send()
        .await?
        .error_for_status()?
        .text()
        .await?;
    let is_ours =
        |line: &&str| line.starts_with("apiserver_request_total{") && line.contains("group=\"azureml.dev\"");
    let is_write = |line: &&str| {
        ["\"APPLY\"", "\"PATCH\"", "\"POST\"", "\"PUT\"", "\"DELETE\""].iter().any(|verb| line.contains(verb))
    };
    Ok(text.lines().filter(is_ours).filter(is_write).filter_map(value).sum())
}

fn value(line: &str) -> Option<f64> {
    line.rsplit(' ').next()?.parse().ok()
}

/// A metric of the operator's process.
pub async fn metric(operator: &Operator, name: &str) -> Result<f64> {
    let text = reqwest::get(format!("http://{}/metrics", operator.address()?)).await?.text().await?;
    let line = text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'));
    line.and_then(value).with_context(|| format!("the operator has no metric {name}"))
}

/// Requests to Azure at these places of its log, tokens not counted.
pub fn requests(scene: &Scene, within: impl SliceIndex<[Entry], Output = [Entry]>) -> Vec<Entry> {
    let all = scene.azure.requests();
    let within = all.get(within).unwrap_or_default().iter();
    within.filter(|entry| !entry.url.contains("/oauth2/")).cloned().collect()
}

/// A count as a figure.
pub fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
