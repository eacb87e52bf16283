//! Identities: nothing without a grant, a client secret of the namespace, and a new one when the old was wrong.

use super::{message, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::MLWorkspace;
use azureml_e2e::operator::SOON;
use azureml_e2e::{Scene, Setting};
use serde_json::json;

const CLIENT: &str = "cccccccc-0000-4000-8000-000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_nothing_is_asked_of_azure() -> Result<()> {
    let config = format!("grants: [{{namespaces: [other]}}]\n{SOON}");
    let scene = Scene::set("ungranted", Setting { config, ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&workspace("")).await?;
    let refused = says::<MLWorkspace>(&scene, "team-a", "False", "IdentityNotGranted").await?;
    let remedy = format!("grants: [{{namespaces: [{}]", scene.namespace);
    ensure!(message(&refused, "Ready").contains(&remedy), "{refused}");
    ensure!(super::condition(&refused, "Stalled")["status"] == "True", "{refused}");
    assert!(scene.azure.requests().is_empty(), "{}", scene.requests_shown(10));
    operator.stop()
}

fn with_secret(scene: &Scene) -> String {
    let tenant = scene.azure.tenant_id();
    workspace(&format!(", identity: {{clientId: {CLIENT}, tenantId: {tenant}, secretRef: {{name: sp}}}}"))
}

/// Writes the Secret as a user does.
async fn secret(scene: &Scene, value: &str) -> Result<()> {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "stringData": {"clientSecret": value}});
    scene.apply(&secret.to_string()).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_may_come_late_be_wrong_and_be_replaced() -> Result<()> {
    let mut setting = Setting { config: SOON.to_owned(), ..Setting::default() };
    setting.azure.apps = [(CLIENT.to_owned(), "the-right-one".to_owned())].into();
    let scene = Scene::set("secret", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&with_secret(&scene)).await?;
    let missing = says::<MLWorkspace>(&scene, "team-a", "False", "SecretNotFound").await?;
    ensure!(message(&missing, "Ready").contains("create it with the key clientSecret"), "{missing}");
    secret(&scene, "the-wrong-one").await?;
    let wrong = says::<MLWorkspace>(&scene, "team-a", "False", "TokenUnavailable").await?;
    ensure!(message(&wrong, "Ready").contains("AADSTS7000215"), "{wrong}");
    secret(&scene, "the-right-one").await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    let clients: Vec<Option<String>> = scene
        .azure
        .requests()
        .into_iter()
        .filter(|entry| entry.url.starts_with("/subscriptions"))
        .map(|entry| entry.client)
        .collect();
    ensure!(
        !clients.is_empty() && clients.iter().all(|client| client.as_deref() == Some(CLIENT)),
        "{clients:?}"
    );
    let told = format!(
        "{}{:?}{}",
        serde_json::to_string(&scene.api::<MLWorkspace>().get("team-a").await?)?,
        scene.events().await?,
        operator.tail(usize::MAX)
    );
    for secret in ["the-right-one", "the-wrong-one"] {
        ensure!(!told.contains(secret), "a secret is told");
    }
    operator.stop()
}
