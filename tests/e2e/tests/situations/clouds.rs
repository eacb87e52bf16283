//! Clouds beside the public one: what the configuration says of a name, and of no other, is where its workspaces are.

use super::{manifest, ready, says};
use anyhow::{Result, ensure};
use azureml_crds::{MLCompute, MLWorkspace};
use azureml_e2e::{Scene, Setting};
use serde_json::json;
use std::collections::BTreeSet;

/// A workspace of a cloud, and a cluster in it.
fn of_cloud(name: &str, cloud: &str, identity: &str) -> String {
    let workspace = format!(
        "subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg-ml, workspaceName: mlw-team-a, cloud: {cloud}{identity}"
    );
    let cluster = format!("workspaceRef: {{name: {name}}}, vmSize: Standard_DS3_v2, scale: {{max: 4}}");
    manifest("MLWorkspace", name, &workspace) + &manifest("MLCompute", name, &cluster)
}

/// The simulator is Azure in China, by an entry that replaces the built-in one, and a cloud of one's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_sovereign_cloud_and_one_of_ones_own_serve_their_workspaces() -> Result<()> {
    let scene = Scene::set("clouds", Setting::default()).await?;
    let config = std::fs::read_to_string(&scene.start.config)?;
    let entry = config.lines().find(|line| line.contains("name: AzurePublic")).unwrap_or_default();
    let of = |cloud: &str| entry.replace("name: AzurePublic", &format!("name: {cloud}"));
    let both = format!("{}\n{}", of("AzureChina"), of("Private"));
    let config = format!("{}defaultCloud: AzureChina\n", config.replace(entry, &both));
    std::fs::write(&scene.start.config, config)?;
    let operator = scene.operator().await?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "stringData": {"clientSecret": "s"}});
    scene.apply(&secret.to_string()).await?;
    // The operator's own identity belongs to one cloud; to the other the namespace brings its own.
    let own = format!(
        ", identity: {{clientId: cccccccc-0000-4000-8000-000000000001, tenantId: {}, secretRef: {{name: sp}}}}",
        scene.azure.tenant_id()
    );
    for (name, cloud, identity) in [("shanghai", "AzureChina", ""), ("own", "Private", own.as_str())] {
        scene.apply_objects(&of_cloud(name, cloud, identity)).await?;
        ready::<MLWorkspace>(&scene, name).await?;
        ready::<MLCompute>(&scene, name).await?;
    }
    let made: BTreeSet<String> = scene.writes(0).into_iter().map(|entry| entry.url).collect();
    ensure!(made.iter().filter(|url| url.contains("/computes/")).count() == 2, "{made:?}");
    // A name that nobody described is no cloud, and nothing is asked for it.
    let since = scene.azure.requests().len();
    scene.apply_objects(&of_cloud("elsewhere", "Elsewhere", &own)).await?;
    says::<MLWorkspace>(&scene, "elsewhere", "False", "UnknownCloud").await?;
    ensure!(scene.azure.requests().len() == since, "{}", scene.requests_shown(5));
    operator.stop()
}
