//! Our side: a file's manifests, planned and carried out against a simulator, without any Kubernetes.
//!
//! In: manifests, a workspace. Out: the requests that they come to, or why they do not. Passes go on until nothing changes.

use super::request::Request;
use crate::offline::folder::Folder;
use crate::offline::hands::{Hands, pass};
use anyhow::Result;
use azureml_e2e::scene::GROUP;
use azureml_simulator::Simulator;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// How long the objects of one file may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many passes without any change mean that nothing more happens.
const QUIET: usize = 12;

/// An Azure, a client of it, and how long its log was when everything that is taken for granted was there.
pub struct Side {
    /// The Azure.
    pub azure: Simulator,
    /// The client.
    pub hands: Hands,
    /// The last entry that is not ours.
    pub since: u64,
}

/// Plans manifests until their requests are out.
pub async fn requests(
    side: &Side,
    manifests: &[Value],
    workspace: &str,
    runs: bool,
) -> Result<Vec<Request>, String> {
    let run = runs.then(|| root(manifests)).flatten().map(|pipeline| {
        json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLRun", "metadata": {"name": "run"}, "spec": {"pipelineRef": {"name": pipeline}}})
    });
    let at = json!({
        "apiVersion": "azureml.dev/v1alpha1", "kind": "MLWorkspace", "metadata": {"name": "team-a"},
        "spec": {"subscriptionId": side.azure.subscription_id(), "resourceGroup": GROUP, "workspaceName": workspace},
    });
    let objects = [at].into_iter().chain(manifests.iter().map(as_the_client_builds)).chain(run);
    let folder = Folder::of("test", objects).map_err(|error| format!("{error:#}"))?;
    passes(side, &folder, workspace, runs).await.map_err(|error| format!("{error:#}"))?.ok_or_else(|| {
        folder.told().iter().map(|(name, told)| format!("{name}: {told}")).collect::<Vec<_>>().join(" | ")
    })
}

/// The client hands conda files and contexts to Azure ML, which builds at the first job; so do we where the manifest says it.
fn as_the_client_builds(manifest: &Value) -> Value {
    let mut manifest = manifest.clone();
    if let Some(conda) = manifest["spec"].get_mut("conda") {
        conda["builder"] = json!({"azureml": {}});
    }
    manifest
}

/// The pipeline that no other object names.
fn root(manifests: &[Value]) -> Option<String> {
    let all = manifests.iter().filter(|manifest| manifest["kind"] == "MLPipeline");
    let mut named = BTreeSet::new();
    for step in all.clone().filter_map(|pipeline| pipeline["spec"]["steps"].as_array()).flatten() {
        named.extend(step["pipeline"]["ref"].as_str());
    }
    let mut pipelines = all.filter_map(|pipeline| pipeline["metadata"]["name"].as_str());
    pipelines.find(|name| !named.contains(name)).map(str::to_owned)
}

/// Passes over all objects; nothing when they come to an end that is none.
async fn passes(side: &Side, folder: &Folder, workspace: &str, runs: bool) -> Result<Option<Vec<Request>>> {
    let (hands, until) = (&side.hands, Instant::now() + PATIENCE);
    let mut beat = tokio::time::interval(Duration::from_millis(60));
    let (mut quiet, mut before) = (0, folder.told());
    while quiet < QUIET && Instant::now() < until {
        beat.tick().await;
        let mut are_ready = pass(hands, folder, &folder.workspaces).await
            & pass(hands, folder, &folder.computes).await
            & pass(hands, folder, &folder.environments).await
            & pass(hands, folder, &folder.data).await;
        are_ready &=
            pass(hands, folder, &folder.pipelines).await & pass(hands, folder, &folder.schedules).await;
        pass(hands, folder, &folder.runs).await;
        if are_ready && (!runs || is_asked_for(folder)) {
            return Ok(Some(Request::logged(&side.azure.requests(), side.since, workspace)));
        }
        let now = folder.told();
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
    }
    Ok(None)
}

/// Whether the job of the run was asked for: the hash of what was sent is kept with it.
fn is_asked_for(folder: &Folder) -> bool {
    let runs = folder.runs.lock().unwrap_or_else(PoisonError::into_inner);
    runs.values().any(|run| run.status.as_ref().is_some_and(|status| status.common.applied_hash.is_some()))
}
