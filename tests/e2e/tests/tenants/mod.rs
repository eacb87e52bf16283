//! Attacks of one tenant on the others, each with a file of its own that is named by its aim. Each succeeded once; now each test
//! says what the attacker reads, and that nothing happened.

mod act_as;
mod forge;
mod hide;
mod impersonate;
mod inject;
mod reach_registry;
mod read_image;
mod shout;
mod sign_in;
mod spin;

use anyhow::Result;
use azureml_e2e::Scene;
use azureml_e2e::operator::SOON;
use azureml_e2e::said::{condition, manifest, ready, says};
use serde_json::{Value, json};

/// The subscription of the scenes.
const SUBSCRIPTION: &str = azureml_e2e::scene::SUBSCRIPTION;

/// A configuration with these grants.
fn granting(grants: &str) -> String {
    format!("grants: [{grants}]\n{SOON}")
}

/// The workspace of all scenes, with more of its spec.
fn workspace(more: &str) -> String {
    let spec =
        format!("subscriptionId: {SUBSCRIPTION}, resourceGroup: rg-ml, workspaceName: mlw-team-a{more}");
    manifest("MLWorkspace", "team-a", &spec)
}

/// What an object says to people.
fn message(object: &Value) -> &str {
    condition(object, "Ready")["message"].as_str().unwrap_or_default()
}

/// Changes an object, or its status.
async fn patch(scene: &Scene, object: &str, patch: &Value) -> Result<()> {
    scene.kubectl(&["patch", object, "--type=merge", "-p", &patch.to_string()]).await.map(drop)
}

async fn patch_status(scene: &Scene, object: &str, status: &Value) -> Result<()> {
    let patch = json!({"status": status}).to_string();
    scene.kubectl(&["patch", object, "--subresource=status", "--type=merge", "-p", &patch]).await.map(drop)
}
