//! Situations beside the story: what is refused, what fails, what is changed by others. Each test has its own
//! namespace, Azure and operator, and says what the user reads and what Azure received.

mod api_version;
mod assets;
mod clouds;
mod computes;
mod configured;
mod conflicts;
mod data;
mod deletion;
mod environments;
mod identity;
mod managers;
mod optional;
mod pipelines;
mod proxy;
mod pull;
mod refused;
mod renamed;
mod runs;
mod schedules;
mod sources;
mod words;

use anyhow::{Context as _, Result};
use azureml_e2e::Scene;
use azureml_e2e::said::{condition, manifest, ready, says};
use serde_json::{Value, json};

/// The workspace of all scenes, with more of its spec.
fn workspace(more: &str) -> String {
    manifest(
        "MLWorkspace",
        "team-a",
        &format!(
            "subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg-ml, workspaceName: mlw-team-a{more}"
        ),
    )
}

/// A cluster in it.
fn compute(more: &str) -> String {
    let spec = format!("workspaceRef: {{name: team-a}}, vmSize: Standard_DS3_v2, scale: {{max: 4}}{more}");
    manifest("MLCompute", "cpu", &spec)
}

/// A pipeline of one command on it, in an image that is given.
fn pipeline(more: &str) -> String {
    let environment = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    let spec = format!(
        "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}}}, \
         inputs: {{trees: {{type: integer, default: 5}}}}, steps: [{{name: only, command: 'echo ${{{{inputs.trees}}}}', inputs: {{trees: '${{{{parent.inputs.trees}}}}'}}}}]{more}"
    );
    [compute(""), manifest("MLEnvironment", "image", environment), manifest("MLPipeline", "p", &spec)]
        .concat()
}

/// What a condition says to people.
fn message(object: &Value, r#type: &str) -> String {
    condition(object, r#type)["message"].as_str().unwrap_or_default().to_owned()
}

/// Changes an object as `kubectl patch` does.
async fn patch(scene: &Scene, object: &str, patch: &Value) -> Result<()> {
    scene.kubectl(&["patch", object, "--type=merge", "-p", &patch.to_string()]).await.map(drop)
}

/// Asks for a pass.
async fn ask(scene: &Scene, object: &str, value: &str) -> Result<()> {
    let annotation = json!({"metadata": {"annotations": {azureml_crds::RECONCILE_REQUESTED_AT: value}}});
    patch(scene, object, &annotation).await
}

/// Makes Azure behave as a test wants, and gives the name under which that ends.
fn fault(scene: &Scene, spec: Value) -> Result<String> {
    scene.azure.fault(spec).map_err(anyhow::Error::msg)
}

/// How often Azure took requests of an operation.
fn accepted(scene: &Scene, operation: &str) -> usize {
    let is_it = |entry: &azureml_simulator::Entry| {
        entry.operation == operation && entry.status.is_some_and(|status| status < 300)
    };
    scene.azure.requests().iter().filter(|entry| is_it(entry)).count()
}

/// The body of the last request of an operation.
fn last_body(scene: &Scene, operation: &str) -> Result<Value> {
    let requests = scene.azure.requests();
    let last = requests.iter().rev().find(|entry| entry.operation == operation);
    Ok(last.with_context(|| format!("no {operation}"))?.json_body())
}
