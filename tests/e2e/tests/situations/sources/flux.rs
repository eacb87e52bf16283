//! Artifacts of Flux: fetched from the server and the folder that are Flux's, registered where the files changed, and nothing else believed
//! of a status. Flux itself is in the tests `gitops`.

use super::{at, base, message, pipeline, ready, says, taken};
use anyhow::{Result, ensure};
use azureml_crds::MLPipeline;
use azureml_e2e::flux::{Artifacts, archive, digest, install};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Scene, Setting};
use serde_json::{Value, json};

/// A bucket of Flux with a status, as Flux writes it.
fn bucket(status: &Value) -> String {
    json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "Bucket", "metadata": {"name": "models"}, "status": status})
        .to_string()
}

/// Waits until the pipeline says words of its source, and shows it.
async fn failed(scene: &Scene, words: &str) -> Result<Value> {
    let is_said = |object: &MLPipeline| {
        message(&serde_json::to_value(object).unwrap_or_default(), "Ready").contains(words)
    };
    scene.wait::<MLPipeline>("p", words, is_said).await?;
    says::<MLPipeline>(scene, "p", "False", "SourceFailed").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_of_flux_is_followed_from_when_flux_is_there_and_its_status_leads_nowhere_else()
-> Result<()> {
    let server = Artifacts::serve().await?;
    let config = format!("sources: {{flux: {{hosts: ['127.0.0.1:*']}}}}\n{GRANTS}{SOON}");
    let scene = Scene::set("flux", Setting { config, ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    let source = pipeline("p", "flux: {kind: Bucket, name: models, path: train}");
    scene.apply_objects(&(base() + &source)).await?;
    failed(&scene, "this cluster has no Bucket of source.toolkit.fluxcd.io/v1").await?;
    install(&scene.kube).await?;
    let first = followed(&scene, &server).await?;
    led_astray(&scene, &server, &first).await?;
    scene.check_contract()?;
    operator.stop()
}

/// The folder of the bucket on Flux's server.
fn path(scene: &Scene, file: &str) -> String {
    format!("/bucket/{}/models/{file}.tar.gz", scene.namespace)
}

/// Offers an archive, and waits until the pipeline is ready with it.
async fn offer(scene: &Scene, server: &Artifacts, (file, bytes): (&str, &[u8])) -> Result<Value> {
    let path = path(scene, file);
    server.give(&path, 200, bytes);
    scene.apply(&bucket(&server.status(&path, bytes))).await?;
    at(scene, "p", &digest(bytes)).await
}

async fn followed(scene: &Scene, server: &Artifacts) -> Result<Value> {
    let bytes = archive(&[("train/main.py", "print(1)\n"), ("README.md", "one")])?;
    offer(scene, server, ("1", &bytes)).await?;
    assert_eq!(taken(scene), (1, 2), "{}", scene.requests_shown(60));
    // Another artifact with the same folder is no version; one byte in the folder is one.
    let since = scene.azure.requests().len();
    let bytes = archive(&[("train/main.py", "print(1)\n"), ("README.md", "two")])?;
    offer(scene, server, ("2", &bytes)).await?;
    assert_eq!(scene.writes(since).len(), 0, "{}", scene.requests_shown(60));
    let bytes = archive(&[("train/main.py", "print(2)\n"), ("README.md", "two")])?;
    let object = offer(scene, server, ("3", &bytes)).await?;
    assert_eq!(taken(scene), (2, 4), "{}", scene.requests_shown(60));
    Ok(object)
}

/// Other bytes, another file, another server, another address: the version in force stays.
async fn led_astray(scene: &Scene, server: &Artifacts, before: &Value) -> Result<()> {
    let bytes = archive(&[("train/main.py", "print(3)\n")])?;
    let place = path(scene, "4");
    let mut status = server.status(&place, &bytes);
    scene.apply(&bucket(&status)).await?;
    failed(scene, "Flux does not give out the artifact: its server answers with status 404").await?;
    server.give(&place, 200, b"something else");
    let other = failed(scene, "it is not the one that its source names by its digest").await?;
    let told = message(&other, "Ready");
    ensure!(!told.contains(&digest(b"something else")[7..]), "it tells what others have: {told}");
    server.give(&place, 302, b"/elsewhere");
    failed(scene, "answers with status 302").await?;
    status["artifact"]["url"] =
        server.status("/bucket/others/models/1.tar.gz", &bytes)["artifact"]["url"].take();
    scene.apply(&bucket(&status)).await?;
    let other = failed(scene, "let nobody but Flux's controllers write its status").await?;
    assert_eq!(other["status"]["current"], before["status"]["current"]);
    let astray = |path: &String| path == "/elsewhere" || path.starts_with("/bucket/others");
    ensure!(!server.asked().iter().any(astray), "{:?}", server.asked());
    // What is mended goes on by itself.
    offer(scene, server, ("5", &bytes)).await?;
    ready::<MLPipeline>(scene, "p").await.map(drop)
}
