//! The code of a pipeline from a GitRepository that the real source-controller fetches.

use super::{Stage, flux};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLPipeline;
use azureml_e2e::said::{manifest, ready, says};
use kube::api::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::Value;

const CODE: &str = "PUT workspaces/codes/versions";

fn pipeline() -> String {
    let image = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    let spec = "workspaceRef: {name: team-a}, defaults: {compute: {ref: cpu}, environment: {ref: image}, code: {flux: {kind: \
                GitRepository, name: ml, path: train}}}, steps: [{name: only, python: {script: main.py}}]";
    manifest("MLEnvironment", "image", image) + &manifest("MLPipeline", "own", spec)
}

/// The digest of the artifact of a revision, once Flux has it.
async fn digest(stage: &Stage, revision: &str) -> Result<String> {
    let kind = GroupVersionKind::gvk("source.toolkit.fluxcd.io", "v1", "GitRepository");
    let resource = ApiResource::from_gvk_with_plural(&kind, "gitrepositories");
    let api: Api<DynamicObject> =
        Api::namespaced_with(stage.scene.kube.clone(), &stage.scene.namespace, &resource);
    let artifact =
        |object: Option<&DynamicObject>| object.map(|object| object.data["status"]["artifact"].clone());
    let is_so = |object: Option<&DynamicObject>| {
        artifact(object).is_some_and(|artifact| artifact["revision"] == revision)
    };
    let waited = kube::runtime::wait::await_condition(api, "ml", is_so);
    let found = tokio::time::timeout(azureml_e2e::PATIENCE, waited).await.context("no artifact")??;
    Ok(artifact(found.as_ref()).unwrap_or_default()["digest"].as_str().context("no digest")?.to_owned())
}

/// Waits until the pipeline is ready with the artifact of a revision.
async fn at(stage: &Stage, revision: &str) -> Result<Value> {
    let digest = digest(stage, revision).await?;
    let is_there = |object: &MLPipeline| {
        let sources = object.status.as_ref().map(|status| status.sources.as_slice()).unwrap_or_default();
        sources.iter().any(|source| source.revision == digest)
    };
    stage.scene.wait::<MLPipeline>("own", &format!("at {revision}"), is_there).await?;
    ready::<MLPipeline>(&stage.scene, "own").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_flux_fetched_is_one_code_version_and_a_commit_beside_it_is_none() -> Result<()> {
    let (stage, _) = Stage::set("sources", &["examples/own-code"]).await?;
    let scene = &stage.scene;
    stage.repository.write("train/main.py", "print(1)\n")?;
    let first = stage.repository.commit("Train")?;
    // Its kinds were not there when the operator began.
    scene
        .kubectl(&["apply", "-f", "examples/r-gbm/workspace.yaml", "-f", "examples/r-gbm/computes.yaml"])
        .await?;
    scene.apply(&pipeline()).await?;
    says::<MLPipeline>(scene, "own", "False", "SourceFailed").await?;
    stage.watch(&[]).await?;
    at(&stage, &first).await?;
    let count = |since| stage.counted(since).get(CODE).copied().unwrap_or_default();
    assert_eq!(count(0), 1, "{}", scene.requests_shown(60));

    let since = scene.azure.requests().len();
    stage.repository.write("README.md", "Nothing of train/.\n")?;
    let beside = stage.push("Describe").await?;
    at(&stage, &beside).await?;
    ensure!(stage.counted(since).is_empty(), "{}", scene.requests_shown(20));

    stage.repository.replace("train/main.py", "print(1)", "print(2)")?;
    let changed = stage.push("Change one byte").await?;
    let ready = at(&stage, &changed).await?;
    assert_eq!(count(since), 1, "{}", scene.requests_shown(60));
    failed(&stage, &ready).await?;
    scene.check_contract()?;
    stage.operator.stop()
}

/// A branch that is gone: the words of Flux are told, and the version in force stays.
async fn failed(stage: &Stage, before: &Value) -> Result<()> {
    let patch = r#"{"spec": {"ref": {"branch": "gone"}}}"#;
    stage.scene.kubectl(&["patch", "gitrepository/ml", "--type=merge", "-p", patch]).await?;
    let is_said = |object: &MLPipeline| {
        let object = serde_json::to_value(object).unwrap_or_default();
        let ready = flux::condition(&object, "Ready");
        let message = ready["message"].as_str().unwrap_or_default();
        message.starts_with("defaults.code: mend GitRepository ml, which is not Ready: GitOperationFailed: ")
    };
    stage.scene.wait::<MLPipeline>("own", "failed", is_said).await?;
    let failed = says::<MLPipeline>(&stage.scene, "own", "False", "SourceFailed").await?;
    assert_eq!(failed["status"]["current"], before["status"]["current"]);
    Ok(())
}
