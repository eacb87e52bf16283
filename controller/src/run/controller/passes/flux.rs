//! Sources of Flux: their absence keeps nobody from starting, they are followed from when they are there, and what they say is told. That
//! their files come is tried with a server, in `tests/e2e`.

use super::*;
use crate::engine::followed_flux::BETWEEN_LOOKS;
use azureml_crds::source::FLUX_API;

const SOON: Duration = Duration::from_secs(5);

/// Data in an artifact, which need nothing else.
fn data(more: &str) -> String {
    let source = format!("source: {{flux: {{kind: GitRepository, name: files, path: data{more}}}}}");
    manifest("MLData", "houses", &format!("workspaceRef: {{name: team-a}}, type: uri_folder, {source}"))
}

/// The source with a status, as Flux writes it.
fn files(status: &Value) -> String {
    let (group, version) = FLUX_API;
    json!({"apiVersion": format!("{group}/{version}"), "kind": "GitRepository", "metadata": {"name": "files"},
           "spec": {"url": "https://github.com/your-org/files"}, "status": status})
    .to_string()
}

fn artifact(url: &str) -> Value {
    json!({"artifact": {"url": url, "revision": "main@sha1:0a", "digest": format!("sha256:{}", "0a".repeat(32))},
           "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored"}]})
}

/// Waits until words are said, and gives how long that took since `from`.
async fn said(stage: &Stage, words: &str, from: Duration) -> Result<Duration> {
    let told = |_: &[Line]| {
        let object = stage.get("MLData", "houses");
        let ready = kubernetes::condition(&object, "Ready");
        ready["message"].as_str().is_some_and(|message| message.contains(words)).then_some(())
    };
    stage.journal.until(words, told).await?;
    assert_eq!(reason(&stage.get("MLData", "houses")), "SourceFailed");
    Ok(stage.journal.elapsed().saturating_sub(from))
}

#[tokio::test(start_paused = true)]
async fn without_flux_that_is_said_and_once_it_is_there_its_sources_wake_what_names_them() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&data(""));
    let now = || stage.journal.elapsed();
    said(&stage, "source: this cluster has no GitRepository of source.toolkit.fluxcd.io/v1", now()).await?;

    // Flux comes later; nobody starts anew.
    stage.kubernetes.has_flux.store(true, Ordering::Relaxed);
    said(&stage, "there is no GitRepository files in the namespace team-a; create it", now()).await?;
    stage.pass(2 * BETWEEN_LOOKS).await;
    let from = now();
    stage.apply(&files(&json!({})));
    assert!(said(&stage, "GitRepository files has no artifact yet", from).await? < SOON);
    let from = now();
    let failed =
        json!([{"type": "Ready", "status": "False", "reason": "GitOperationFailed", "message": "no branch"}]);
    stage.apply(&files(&json!({"conditions": failed})));
    let words = "mend GitRepository files, which is not Ready: GitOperationFailed: no branch";
    assert!(said(&stage, words, from).await? < SOON);
    let from = now();
    stage.delete("GitRepository", "files");
    assert!(said(&stage, "there is no GitRepository files", from).await? < SOON);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_status_that_somebody_else_wrote_leads_to_no_other_server_and_to_no_other_folder() -> Result<()> {
    let stage = Stage::set().await?;
    stage.kubernetes.has_flux.store(true, Ordering::Relaxed);
    let now = || stage.journal.elapsed();
    stage.apply(&files(&artifact("http://169.254.169.254/gitrepository/team-a/files/token")));
    stage.apply(&data(""));
    said(&stage, "artifacts of Flux are not fetched from 169.254.169.254", now()).await?;
    stage.apply(&files(&artifact(
        "http://source-controller.flux-system.svc.cluster.local/gitrepository/team-b/files/0a.tar.gz",
    )));
    said(&stage, "is not http://<host>/gitrepository/team-a/files/<file>", now()).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_source_of_another_namespace_is_read_only_where_the_configuration_says_so() -> Result<()> {
    let stage = Stage::set().await?;
    stage.kubernetes.has_flux.store(true, Ordering::Relaxed);
    let now = || stage.journal.elapsed();
    stage.apply(&data(", namespace: flux-system"));
    said(&stage, "sources: {flux: {grants: [{namespaces: [team-a], from: [flux-system]}]}}", now()).await?;

    let granted =
        format!("{GRANTS}\nsources: {{flux: {{grants: [{{namespaces: [team-*], from: [flux-system]}}]}}}}");
    let stage = Stage::with(usual(), &granted).await?;
    stage.kubernetes.has_flux.store(true, Ordering::Relaxed);
    let now = || stage.journal.elapsed();
    stage.apply(&data(", namespace: flux-system"));
    said(&stage, "there is no GitRepository files in the namespace flux-system", now()).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_read_sources_of_flux_the_value_of_the_chart_is_said() -> Result<()> {
    let mut stage = Stage::set().await?;
    stage.forbidden = Some("/gitrepositories");
    stage.kubernetes.has_flux.store(true, Ordering::Relaxed);
    stage.start().await?;
    stage.apply(&data(""));
    said(&stage, "set rbac.readFluxSources of the chart", stage.journal.elapsed()).await.map(drop)
}
