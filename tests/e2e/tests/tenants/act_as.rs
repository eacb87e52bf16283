//! The aim: to run code with an identity, or in a network, that is not the tenant's, by a cluster that the operator makes.
//!
//! Before: the operator made the cluster with every identity that it may assign, and in a subnet of another subscription.

use super::{granting, manifest, message, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLCompute, MLWorkspace};
use azureml_e2e::{Scene, Setting};
use serde_json::json;

const IDENTITY: &str = "/subscriptions/99999999-2222-3333-4444-555555555555/resourceGroups/rg-platform/providers/Microsoft.ManagedIdentity/userAssignedIdentities/owner-of-all";
const SUBNET: &str = "/subscriptions/99999999-2222-3333-4444-555555555555/resourceGroups/rg-platform/providers/Microsoft.Network/virtualNetworks/inner/subnets/databases";

fn cluster(more: &str) -> String {
    let spec = "workspaceRef: {name: team-a}, vmSize: Standard_DS3_v2, scale: {max: 4}";
    manifest("MLCompute", "cpu", &format!("{spec}{more}"))
}

fn with_identity() -> String {
    cluster(&format!(", identity: {{type: UserAssigned, userAssigned: ['{IDENTITY}']}}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_has_no_identity_and_no_subnet_that_is_not_granted() -> Result<()> {
    let setting = Setting { config: granting("{namespaces: ['*']}"), ..Setting::default() };
    let scene = Scene::set("act-as", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &with_identity())).await?;
    let refused = says::<MLCompute>(&scene, "cpu", "False", "IdentityNotGranted").await?;
    ensure!(message(&refused).contains(&format!("identities: [{IDENTITY}]")), "{refused}");
    scene.delete_objects(&cluster("")).await?;
    scene.wait_gone::<MLCompute>("cpu").await?;
    scene.apply_objects(&cluster(&format!(", subnetId: '{SUBNET}'"))).await?;
    let refused = says::<MLCompute>(&scene, "cpu", "False", "SubnetNotGranted").await?;
    ensure!(message(&refused).contains(&format!("subnets: [{SUBNET}]")), "{refused}");
    assert!(scene.writes(0).is_empty(), "{}", scene.requests_shown(10));
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_or_asked_for_by_the_tenant_itself_is_made() -> Result<()> {
    let grant = "{namespaces: ['*'], identities: ['*/userAssignedIdentities/owner-*'], subnets: ['*/virtualNetworks/inner/*']}";
    let scene = Scene::set("act-granted", Setting { config: granting(grant), ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &with_identity())).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    operator.stop()?;
    // A namespace with credentials of its own asks Azure as itself.
    let scene = Scene::set("act-own", Setting { config: granting(""), ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "stringData": {"clientSecret": "s"}});
    scene.apply(&secret.to_string()).await?;
    let identity = format!(
        ", identity: {{clientId: cccccccc-0000-4000-8000-000000000001, tenantId: {}, secretRef: {{name: sp}}}}",
        scene.azure.tenant_id()
    );
    scene.apply_objects(&(workspace(&identity) + &with_identity())).await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    operator.stop()
}
