//! Images of a registry that wants a password: what is said without it, and who sees it. The registry is ours, behind TLS, on loopback.

use super::{ask, manifest, message, ready, says, workspace};
use anyhow::{Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, header};
use azureml_crds::MLEnvironment;
use azureml_e2e::git_server::serve;
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Scene, Setting};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const PASSWORD: &str = "battery-staple";

/// A registry that shows its one image to one user.
#[derive(Default)]
struct Registry {
    /// What requests carried to sign in.
    seen: Mutex<Vec<String>>,
    /// Whether somebody removed the image.
    is_purged: AtomicBool,
}

async fn answer(State(registry): State<Arc<Registry>>, request: Request<Body>) -> Response<Body> {
    let login = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let login = login.unwrap_or_default().to_owned();
    let is_reader = login == format!("Basic {}", BASE64_STANDARD.encode(format!("reader:{PASSWORD}")));
    registry.seen.lock().unwrap_or_else(PoisonError::into_inner).push(login);
    let answer = if is_reader && registry.is_purged.load(Ordering::Relaxed) {
        Response::builder().status(404)
    } else if is_reader {
        Response::builder().status(200).header("docker-content-digest", format!("sha256:{}", "d".repeat(64)))
    } else {
        Response::builder().status(401).header(header::WWW_AUTHENTICATE, "Basic realm=\"private\"")
    };
    answer.body(Body::empty()).unwrap_or_default()
}

/// A Secret of Docker's credentials for a registry.
fn secret(host: &str, password: &str) -> String {
    let auths = json!({"auths": {host: {"username": "reader", "password": password}}});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry"}, "type": "kubernetes.io/dockerconfigjson",
           "stringData": {".dockerconfigjson": auths.to_string()}})
    .to_string()
}

/// Waits until an environment says why it is not ready, in these words.
async fn refused(scene: &Scene, reason: &str, words: &str) -> Result<Value> {
    let is_said = |object: &MLEnvironment| {
        message(&serde_json::to_value(object).unwrap_or_default(), "Ready").contains(words)
    };
    scene.wait::<MLEnvironment>("image", words, is_said).await?;
    says::<MLEnvironment>(scene, "image", "False", reason).await
}

async fn wrong_password(scene: &Scene, host: &str) -> Result<()> {
    scene.apply(&secret(host, "wrong")).await?;
    ask(scene, "mlenvironment/image", "2").await?;
    let words = "it answered 401 to a request with the credentials of imagePullSecretRef";
    let wrong = refused(scene, "RegistryUnauthorized", words).await?;
    ensure!(
        message(&wrong, "Ready").contains("name a Secret that may read it in imagePullSecretRef"),
        "{wrong}"
    );
    Ok(())
}

/// The password is in no log and in no object.
async fn is_told_nowhere(scene: &Scene, log: &str) -> Result<()> {
    let encoded = BASE64_STANDARD.encode(format!("reader:{PASSWORD}"));
    ensure!(!log.contains(PASSWORD) && !log.contains(&encoded), "the log has the password");
    let told = scene.kubectl(&["get", "mlenvironments,events", "--output", "yaml"]).await?;
    ensure!(!told.contains(PASSWORD) && !told.contains(&encoded), "an object has the password");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_wants_a_password_is_asked_with_the_secret_that_names_it() -> Result<()> {
    let registry = Arc::<Registry>::default();
    let (address, certificate) = serve(Router::new().fallback(answer).with_state(registry.clone())).await?;
    let host = address.trim_start_matches("https://").to_owned();
    let folder = tempfile::tempdir()?;
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, certificate)?;
    let hosts = format!("sources: {{hosts: [{{namespaces: ['*'], hosts: ['{host}']}}]}}");
    let config = format!("caFile: '{}'\n{hosts}\n{GRANTS}{SOON}", ca.display());
    let scene = Scene::set("pull", Setting { config, ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    let image = format!(
        "workspaceRef: {{name: team-a}}, image: '{host}/team/r:1', imagePullSecretRef: {{name: registry}}"
    );
    let environment = manifest("MLEnvironment", "image", &image);
    scene.apply_objects(&(workspace("") + &environment)).await?;
    refused(&scene, "SecretNotFound", "imagePullSecretRef: there is no Secret registry in this namespace")
        .await?;
    // A Secret for another host is not shown to this one.
    scene.apply(&secret("ghcr.io", PASSWORD)).await?;
    ask(&scene, "mlenvironment/image", "1").await?;
    refused(&scene, "SecretIncomplete", &format!("has no credentials for {host}")).await?;
    ensure!(
        registry.seen.lock().unwrap_or_else(PoisonError::into_inner).is_empty(),
        "nobody has asked the registry"
    );
    wrong_password(&scene, &host).await?;
    // The right one.
    scene.apply(&secret(&host, PASSWORD)).await?;
    ask(&scene, "mlenvironment/image", "3").await?;
    let found = ready::<MLEnvironment>(&scene, "image").await?;
    let pinned = format!("{host}/team/r@sha256:{}", "d".repeat(64));
    ensure!(found["status"]["image"] == json!(pinned), "{found}");
    // One that was purged is not believed to be there because its digest is known.
    registry.is_purged.store(true, Ordering::Relaxed);
    ask(&scene, "mlenvironment/image", "4").await?;
    refused(&scene, "ImageNotFound", &format!("the registry has no {host}/team/r:1")).await?;
    is_told_nowhere(&scene, &operator.tail(100_000)).await?;
    operator.stop()
}
