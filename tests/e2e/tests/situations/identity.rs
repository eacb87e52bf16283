//! Identities: nothing without a grant, a client secret of the namespace, and a new one when the old was wrong.

use super::{message, ready, says, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLWorkspace;
use azureml_e2e::certificate::{KEY, OTHER, certificate};
use azureml_e2e::operator::SOON;
use azureml_e2e::{Operator, Scene, Setting};
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
    holding(scene, "clientSecret", value).await
}

async fn holding(scene: &Scene, key: &str, value: &str) -> Result<()> {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "stringData": {(key): value}});
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
    signed_in(&scene)?;
    untold(&scene, &operator, &["the-right-one", "the-wrong-one"]).await?;
    operator.stop()
}

/// Everything was asked for by the client that the namespace brought.
fn signed_in(scene: &Scene) -> Result<()> {
    let requests = scene.azure.requests().into_iter().filter(|entry| entry.url.starts_with("/subscriptions"));
    let clients: Vec<Option<String>> = requests.map(|entry| entry.client).collect();
    let is_it = clients.iter().all(|client| client.as_deref() == Some(CLIENT));
    ensure!(!clients.is_empty() && is_it, "{clients:?}");
    Ok(())
}

/// No secret stands in the object, the events or the log.
async fn untold(scene: &Scene, operator: &Operator, secrets: &[&str]) -> Result<()> {
    let told = format!(
        "{}{:?}{}",
        serde_json::to_string(&scene.api::<MLWorkspace>().get("team-a").await?)?,
        scene.events().await?,
        operator.tail(usize::MAX)
    );
    ensure!(!secrets.iter().any(|secret| told.contains(secret)), "a secret is told");
    Ok(())
}

/// Waits until the workspace is not ready for a reason, and says something.
async fn refused(scene: &Scene, reason: &str, part: &str) -> Result<()> {
    let is_so = |workspace: &MLWorkspace| {
        let workspace = serde_json::to_value(workspace).unwrap_or_default();
        super::condition(&workspace, "Ready")["reason"] == reason
            && message(&workspace, "Ready").contains(part)
    };
    scene.wait("team-a", &format!("{reason}: {part}"), is_so).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_may_be_incomplete_expired_or_unknown_and_be_replaced() -> Result<()> {
    let mut setting = Setting { config: SOON.to_owned(), ..Setting::default() };
    let right = certificate(KEY, None)?;
    setting.azure.certificates = [(CLIENT.to_owned(), right.clone())].into();
    let scene = Scene::set("certificate", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&with_secret(&scene)).await?;
    for (pem, part) in [
        (right.clone(), "add the certificate's private key"),
        (format!("{right}{OTHER}"), "that were made together"),
        (format!("{}{KEY}", certificate(KEY, Some(2020))?), "this one expired at 2020-01-01T00:00:00Z"),
    ] {
        holding(&scene, "clientCertificate", &pem).await?;
        refused(&scene, "SecretIncomplete", part).await?;
    }
    ensure!(scene.azure.requests().is_empty(), "{}", scene.requests_shown(10));
    holding(&scene, "clientCertificate", &format!("{}{OTHER}", certificate(OTHER, None)?)).await?;
    refused(&scene, "TokenUnavailable", "AADSTS700027").await?;
    holding(&scene, "clientCertificate", &format!("{right}{KEY}")).await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    signed_in(&scene)?;
    let line = KEY.lines().nth(2).context("no key")?;
    untold(&scene, &operator, &[line]).await?;
    operator.stop()
}
