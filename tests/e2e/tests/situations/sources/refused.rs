//! What is not fetched: with the words that people read, the version in force kept, and no password sent astray.

use super::{ask, at, base, configured, git, message, pipeline, ready, says, scene, version};
use crate::situations::manifest;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLPipeline, MLRun, MLSchedule};
use azureml_e2e::git_server::{GitServer, PASSWORD};
use azureml_e2e::operator::SOON;
use azureml_e2e::{Scene, Setting};
use serde_json::{Value, json};

/// Waits until the source of a pipeline has failed, and gives the pipeline.
async fn failed(scene: &Scene, name: &str, words: &[&str]) -> Result<Value> {
    let is_said = |object: &MLPipeline| {
        let object = serde_json::to_value(object).unwrap_or_default();
        words.iter().all(|word| message(&object, "Ready").contains(word))
    };
    scene.wait::<MLPipeline>(name, &format!("{words:?}"), is_said).await?;
    says::<MLPipeline>(scene, name, "False", "SourceFailed").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_keeps_the_version_in_force_and_runs_and_schedules_go_on() -> Result<()> {
    let server = GitServer::start().await?;
    server.write("train/main.py", "print(1)\n")?;
    let first = server.commit()?;
    let scene = scene("fails", &server).await?;
    let operator = scene.operator().await?;
    let source = git(&server.url("work"), "branch: main", "train", "");
    scene.apply_objects(&(base() + &pipeline("p", &source))).await?;
    let before = at(&scene, "p", &first).await?;

    // A pointer of LFS, a submodule, and a branch that is gone.
    let oid = "a".repeat(64);
    server.write(
        "train/model.bin",
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\n"),
    )?;
    server.commit()?;
    ask(&scene, "mlpipeline/p", "1").await?;
    let words = ["defaults.code: the entry model.bin is a pointer of Git LFS", "leave it out by ignore"];
    let pointer = failed(&scene, "p", &words).await?;
    assert_eq!(pointer["status"]["current"], before["status"]["current"]);
    std::fs::remove_file(server.work().join("train/model.bin"))?;
    server.git(&["add", "--all"])?;
    server.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{first},train/module")])?;
    server.git(&["commit", "--quiet", "--message", "x"])?;
    ask(&scene, "mlpipeline/p", "2").await?;
    failed(&scene, "p", &["module is a submodule, which is not fetched"]).await?;
    server.git(&["branch", "--move", "main", "trunk"])?;
    ask(&scene, "mlpipeline/p", "3").await?;
    let gone = failed(&scene, "p", &["the repository has no branch main; correct ref, or push it"]).await?;
    assert_eq!(version(&gone)?, version(&before)?);

    // What was accepted goes on.
    let nightly = manifest("MLSchedule", "nightly", "pipelineRef: {name: p}, cron: '0 3 * * *'");
    scene.apply_objects(&(manifest("MLRun", "one", "pipelineRef: {name: p}") + &nightly)).await?;
    ready::<MLSchedule>(&scene, "nightly").await?;
    let is_sent = |run: &MLRun| run.status.as_ref().is_some_and(|status| status.studio_url.is_some());
    scene.wait::<MLRun>("one", "sent", is_sent).await?;

    // The branch is back, and somebody asks for a pass.
    server.git(&["branch", "main", &first])?;
    ask(&scene, "mlpipeline/p", "4").await?;
    at(&scene, "p", &first).await?;
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_gone_is_said_after_a_restart_and_the_version_stays() -> Result<()> {
    let server = GitServer::start().await?;
    server.write("train/main.py", "print(1)\n")?;
    let first = server.commit()?;
    let scene = scene("gone", &server).await?;
    let operator = scene.operator().await?;
    let source = git(&server.url("work"), &format!("commit: {first}"), "train", "");
    scene.apply_objects(&(base() + &pipeline("p", &source))).await?;
    let before = at(&scene, "p", &first).await?;
    operator.stop()?;
    server.git(&["commit", "--quiet", "--amend", "--message", "other"])?;
    server.git(&["reflog", "expire", "--expire=now", "--all"])?;
    server.git(&["gc", "--quiet", "--prune=now"])?;
    let operator = scene.operator().await?;
    let gone =
        failed(&scene, "p", &["not our ref", "check that what url and ref name is still there"]).await?;
    assert_eq!(gone["status"]["current"], before["status"]["current"]);
    operator.stop()
}

/// A Secret that signs in, for the hosts that it names.
fn secret(hosts: &str, password: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "reader", "annotations": {"azureml.dev/hosts": hosts}},
           "stringData": {"username": "reader", "password": password}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_goes_to_the_hosts_that_its_secret_names_and_to_no_other() -> Result<()> {
    let server = GitServer::start().await?;
    server.write("train/main.py", "print(1)\n")?;
    let first = server.commit()?;
    let scene = scene("password", &server).await?;
    let operator = scene.operator().await?;
    let source = git(&server.url("private/work"), "branch: main", "train", ", secretRef: {name: reader}");
    scene.apply_objects(&(base() + &pipeline("p", &source))).await?;
    let missing = says::<MLPipeline>(&scene, "p", "False", "SecretNotFound").await?;
    ensure!(message(&missing, "Ready").contains("there is no Secret reader in this namespace"), "{missing}");

    scene.apply(&secret("github.com, git.example:8443", PASSWORD).to_string()).await?;
    ask(&scene, "mlpipeline/p", "1").await?;
    let other = says::<MLPipeline>(&scene, "p", "False", "SecretIncomplete").await?;
    let said = format!(
        "Secret reader is not for {}; name the host in its annotation azureml.dev/hosts",
        server.host()
    );
    ensure!(message(&other, "Ready").contains(&said), "{other}");
    assert_eq!(server.asked(), (0, 0), "somebody asked the server");

    scene.apply(&secret(server.host(), "wrong-horse").to_string()).await?;
    ask(&scene, "mlpipeline/p", "2").await?;
    let denied = failed(&scene, "p", &["the server refuses with status 401"]).await?;
    ensure!(!denied.to_string().contains("horse"), "{denied}");

    scene.apply(&secret(server.host(), PASSWORD).to_string()).await?;
    ask(&scene, "mlpipeline/p", "3").await?;
    at(&scene, "p", &first).await?;
    let log = operator.tail(usize::MAX);
    ensure!(!log.contains("horse"), "the log has the password");
    let (asked, signed_in) = server.asked();
    ensure!(asked == signed_in && asked > 0, "{asked} requests, {signed_in} of them with the password");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_asked_only_where_the_configuration_names_it() -> Result<()> {
    let server = GitServer::start().await?;
    server.write("train/main.py", "print(1)\n")?;
    server.commit()?;
    let source = |server: &GitServer| git(&server.url("work"), "branch: main", "train", "");
    let config = configured(&server, &[], SOON);
    let scene = Scene::set("private", Setting { config, ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    let named = git(&server.url("work").replace("127.0.0.1", "localhost"), "branch: main", "train", "");
    scene.apply_objects(&(base() + &pipeline("p", &source(&server)) + &pipeline("named", &named))).await?;
    failed(&scene, "p", &["private", "127.0.0.1"]).await?;
    failed(&scene, "named", &["private", "localhost"]).await?;
    assert_eq!(server.asked(), (0, 0));
    operator.stop()?;

    // A namespace with hosts of its own has those alone.
    let config = configured(&server, &["git.corp.example"], SOON);
    let scene = Scene::set("private", Setting { config, ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(base() + &pipeline("p", &source(&server)))).await?;
    let refused = failed(&scene, "p", &["this namespace may not fetch files from"]).await?;
    let text = message(&refused, "Ready");
    // What the message says to add is what helps.
    let (_, line) = text.split_once("sources: ").with_context(|| text.clone())?;
    ensure!(line.contains(server.host()) && line.contains(&scene.namespace), "{text}");
    assert_eq!(server.asked(), (0, 0));
    operator.stop()
}
