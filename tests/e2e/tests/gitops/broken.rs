//! A commit that cannot work fails soon, our object says why, and the next commit mends it.

use super::{Stage, flux};
use anyhow::{Result, ensure};
use azureml_crds::{MLEnvironment, MLPipeline};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_commit_fails_through_stalled_and_the_fix_recovers() -> Result<()> {
    let (stage, first) = Stage::set("broken", &["examples/r-gbm"]).await?;
    let scene = &stage.scene;
    stage.watch(&["r-gbm"]).await?;
    stage.ready("r-gbm", &first).await?;

    let environment = "examples/r-gbm/environment.yaml";
    stage.repository.replace(environment, "r-ver:4.4.2\n", "r-ver:4.4.2\n      RUN exit 7\n")?;
    let broken = stage.push("Break the image").await?;
    let said = stage.failed("r-gbm", &broken).await?;
    let stalled = format!(
        "failed early due to stalled resources: [MLEnvironment/{}/r-gbm status: 'Failed'",
        scene.namespace
    );
    ensure!(said.contains(&stalled), "Flux says {said}");
    let object = serde_json::to_value(scene.api::<MLEnvironment>().get("r-gbm").await?)?;
    let condition = flux::condition(&object, "Stalled");
    ensure!(condition["reason"] == "BuildFailed", "{object:#}");
    ensure!(condition["message"].as_str().is_some_and(|why| why.contains("exit 7")), "{condition:#}");
    // What was published before is still served.
    let pipeline = &stage.objects().await?["MLPipeline/r-gbm"];
    ensure!(pipeline == "False ReferenceNotReady", "{pipeline}");

    stage.repository.replace(environment, "      RUN exit 7\n", "")?;
    let fixed = stage.push("Mend the image").await?;
    stage.ready("r-gbm", &fixed).await?;
    let objects = stage.objects().await?;
    ensure!(objects.values().all(|ready| ready == "True Succeeded"), "{objects:?}");
    what_waits_for_ever_does_not_keep_the_fix_back(&stage).await?;
    what_cannot_be_applied_is_refused_before_anything_is_changed(&stage).await?;
    stage.end().await
}

async fn what_waits_for_ever_does_not_keep_the_fix_back(stage: &Stage) -> Result<()> {
    let pipeline = "examples/r-gbm/pipeline.yaml";
    stage.repository.replace(pipeline, "compute: {ref: big}", "compute: {ref: bigger}")?;
    let waiting = stage.push("Name a cluster that is not there").await?;
    let waits = |object: &MLPipeline| {
        let status = object.status.clone().unwrap_or_default();
        status
            .common
            .conditions
            .iter()
            .any(|it| it.type_ == "Reconciling" && it.reason == "ReferenceNotFound")
    };
    stage.scene.wait("r-gbm", "waiting for the cluster", waits).await?;
    let kustomization = flux::get(&stage.scene, "r-gbm").await?;
    ensure!(kustomization["status"]["lastAttemptedRevision"] == waiting, "{:#}", kustomization["status"]);
    ensure!(flux::condition(&kustomization, "Ready")["status"] == "Unknown", "{:#}", kustomization["status"]);
    stage.repository.replace(pipeline, "compute: {ref: bigger}", "compute: {ref: big}")?;
    let fixed = stage.push("Name the one that is there").await?;
    stage.ready("r-gbm", &fixed).await.map(drop)
}

async fn what_cannot_be_applied_is_refused_before_anything_is_changed(stage: &Stage) -> Result<()> {
    let (requests, versions) = (stage.scene.azure.requests().len(), stage.scene.versions().await?);
    let cluster = "examples/r-gbm/computes.yaml";
    for (part, by, message, says) in [
        (
            "scale: {max: 4}",
            "scale: {max: 8, most: 9}",
            "Mistype a field",
            ".spec.scale.most: field not declared",
        ),
        (
            "scale: {max: 8, most: 9}",
            "scale: {max: -1}",
            "Take an impossible value",
            "spec.scale.max in body should be greater than or equal to 1",
        ),
        (
            "vmSize: Standard_DS3_v2\n  scale: {max: -1}",
            "vmSize: Standard_DS4_v2\n  scale: {max: 8}",
            "Change what cannot change",
            "vmSize cannot be changed, nor set or removed later; make a new MLCompute",
        ),
    ] {
        stage.repository.replace(cluster, part, by)?;
        let refused = stage.push(message).await?;
        let said = stage.failed("r-gbm", &refused).await?;
        ensure!(said.contains("dry-run failed") && said.contains(says), "{message}: Flux says {said}");
    }
    assert_eq!(stage.scene.versions().await?, versions);
    ensure!(stage.scene.azure.requests().len() == requests, "{}", stage.scene.requests_shown(10));
    Ok(())
}
