//! The aim: to get the operator's client secret or federated token sent to another cloud's sign-in.
//!
//! Before: `cloud: AzureChina` in a manifest did it.

use super::{granting, manifest, message, says};
use anyhow::{Result, ensure};
use azureml_crds::MLWorkspace;
use azureml_e2e::{Scene, Setting};
use azureml_simulator::{Options, Simulator};

fn in_cloud(name: &str, cloud: &str, more: &str) -> String {
    let subscription = super::SUBSCRIPTION;
    let spec = format!(
        "subscriptionId: {subscription}, resourceGroup: rg-ml, workspaceName: mlw-team-a, cloud: {cloud}{more}"
    );
    manifest("MLWorkspace", name, &spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_identity_signs_in_to_its_own_cloud_alone() -> Result<()> {
    let setting = Setting { config: granting("{namespaces: ['*']}"), ..Setting::default() };
    let scene = Scene::set("sign-in", setting).await?;
    // A cloud of the attacker's liking that the platform team knows, for others.
    let other = Simulator::start(Options::default()).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let config = std::fs::read_to_string(&scene.start.config)?;
    let (endpoint, ca) = (other.endpoint(), other.ca_file().display().to_string());
    let entry = format!(
        "clouds:\n- {{name: Other, authority: '{endpoint}', resourceManager: '{endpoint}', caFile: '{ca}'}}\n"
    );
    std::fs::write(&scene.start.config, config.replacen("clouds:\n", &entry, 1))?;
    let operator = scene.operator().await?;
    let federated = ", identity: {clientId: cccccccc-0000-4000-8000-000000000001}";
    scene
        .apply_objects(
            &(in_cloud("china", "AzureChina", "")
                + &in_cloud("own", "Other", "")
                + &in_cloud("federated", "Other", federated)),
        )
        .await?;
    for name in ["china", "own", "federated"] {
        let refused = says::<MLWorkspace>(&scene, name, "False", "IdentityNotGranted").await?;
        ensure!(message(&refused).contains("clouds: ["), "{refused}");
    }
    ensure!(other.requests().is_empty(), "the other cloud was asked");
    ensure!(scene.azure.requests().is_empty(), "{}", scene.requests_shown(10));
    other.stop();
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_built_in_cloud_that_nobody_granted_is_off_for_own_secrets_too() -> Result<()> {
    let scene = Scene::set("sign-in-own", Setting { config: granting(""), ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    let secret = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "stringData": {"clientSecret": "s"}});
    scene.apply(&secret.to_string()).await?;
    let own = format!(
        ", identity: {{clientId: cccccccc-0000-4000-8000-000000000001, tenantId: {}, secretRef: {{name: sp}}}}",
        scene.azure.tenant_id()
    );
    scene.apply_objects(&in_cloud("china", "AzureChina", &own)).await?;
    let refused = says::<MLWorkspace>(&scene, "china", "False", "UnknownCloud").await?;
    ensure!(message(&refused).contains("grants[].clouds"), "{refused}");
    operator.stop()
}
