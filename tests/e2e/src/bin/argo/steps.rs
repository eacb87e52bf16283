//! What is done with Argo CD, step by step; each ends with an error where Argo CD says something else than is meant.

use crate::Stage;
use crate::app::{of, said};
use anyhow::{Result, ensure};
use azureml_crds::{MLPipeline, MLSchedule, MLWorkspace};
use serde_json::{Value, json};

pub async fn all(stage: &mut Stage) -> Result<()> {
    progressing_while_a_build_goes_on(stage).await?;
    equal_in_every_way_to_compare(stage).await?;
    ten_comparisons_write_nothing(stage).await?;
    degraded_by_a_broken_commit(stage).await?;
    put_back_what_somebody_changed(stage).await?;
    pruned(stage).await
}

async fn progressing_while_a_build_goes_on(stage: &mut Stage) -> Result<()> {
    let hold = json!({"match": {"path": "taskRuns/"}, "when": "outcome", "do": "hold"});
    let hold = stage.scene.azure.fault(hold).map_err(anyhow::Error::msg)?;
    stage.app.apply(&stage.scene).await?;
    let waits = |app: &Value| {
        said(app) == "Synced, Progressing"
            && of(app, "MLEnvironment", "r-gbm") == "Synced, Progressing"
            && of(app, "MLCompute", "cpu") == "Synced, Healthy"
    };
    let app = stage.app.wait("progressing while a build goes on", waits).await?;
    stage.tell("applied, while the image is being built", said(&app));
    ensure!(stage.scene.azure.release(&hold, false), "there is no such fault");
    let app = healthy(stage).await?;
    stage.tell("the build has ended", said(&app));
    Ok(())
}

async fn healthy(stage: &Stage) -> Result<Value> {
    stage.app.wait("synced and healthy", |app| said(app) == "Synced, Healthy").await
}

/// The options of a sync and of a comparison, and what Argo CD calls it.
const WAYS: [(&str, &[&str], &str); 3] = [
    ("structured merge, after a server-side apply", &["ServerSideApply=true"], "ServerSideDiff=false"),
    ("by the API server, as a dry run", &["ServerSideApply=true"], "ServerSideDiff=true"),
    ("three-way, after a client-side apply", &[], "ServerSideDiff=false"),
];

async fn equal_in_every_way_to_compare(stage: &mut Stage) -> Result<()> {
    for (way, options, compare) in WAYS {
        compare_by(stage, options, compare).await?;
        let app = healthy(stage).await?;
        stage.tell(&format!("compared: {way}"), said(&app));
        // The same comparison sees a change.
        scale(stage, 5).await?;
        let is_seen = |app: &Value| of(app, "MLCompute", "cpu").starts_with("OutOfSync");
        let app = stage.app.wait("out of sync", is_seen).await?;
        stage.tell(&format!("a cluster changed by hand; compared: {way}"), of(&app, "MLCompute", "cpu"));
        scale(stage, 4).await?;
        healthy(stage).await?;
    }
    let policy =
        json!({"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["ServerSideApply=true"]});
    let annotations = json!({"argocd.argoproj.io/compare-options": null});
    stage.app.patch(&json!({"metadata": {"annotations": annotations}, "spec": {"syncPolicy": policy}})).await
}

/// Syncs by hand with these options, and compares in this way; without automation, so that nothing is mended in passing.
async fn compare_by(stage: &Stage, options: &[&str], compare: &str) -> Result<()> {
    let policy = json!({"automated": null, "syncOptions": options});
    let annotations = json!({"argocd.argoproj.io/compare-options": compare});
    stage
        .app
        .patch(&json!({"metadata": {"annotations": annotations}, "spec": {"syncPolicy": policy}}))
        .await?;
    stage.app.patch(&json!({"operation": {"sync": {"syncOptions": options, "prune": true}}})).await?;
    let is_synced =
        |app: &Value| app["operation"].is_null() && app["status"]["operationState"]["phase"] == "Succeeded";
    stage.app.wait("synced by hand", is_synced).await?;
    stage.app.refresh().await.map(drop)
}

/// Somebody changes a cluster by hand.
async fn scale(stage: &Stage, max: u8) -> Result<()> {
    let patch = json!({"spec": {"scale": {"max": max}}}).to_string();
    stage.scene.kubectl(&["patch", "mlcompute", "cpu", "--type=merge", "-p", &patch]).await.map(drop)
}

async fn ten_comparisons_write_nothing(stage: &mut Stage) -> Result<()> {
    stage.app.refresh().await?;
    healthy(stage).await?;
    let (requests, versions) = (stage.scene.azure.requests().len(), stage.scene.versions().await?);
    for _ in 0..10 {
        stage.app.refresh().await?;
    }
    ensure!(stage.scene.versions().await? == versions, "an object was written");
    ensure!(stage.scene.azure.requests().len() == requests, "{}", stage.scene.requests_shown(10));
    stage.tell("ten more comparisons", "no object was written, Azure was not asked");
    Ok(())
}

async fn degraded_by_a_broken_commit(stage: &mut Stage) -> Result<()> {
    let environment = "examples/r-gbm/environment.yaml";
    stage.repository.replace(environment, "r-ver:4.4.2\n", "r-ver:4.4.2\n      RUN exit 7\n")?;
    stage.repository.commit("Break the image")?;
    stage.app.refresh().await?;
    let app = stage.app.wait("degraded", |app| said(app) == "Synced, Degraded").await?;
    stage.tell(
        "a commit whose image cannot be built",
        format!("{}; the environment: {}", said(&app), of(&app, "MLEnvironment", "r-gbm")),
    );
    stage.repository.replace(environment, "      RUN exit 7\n", "")?;
    stage.repository.commit("Mend the image")?;
    stage.app.refresh().await?;
    let app = healthy(stage).await?;
    stage.tell("the commit that mends it", said(&app));
    Ok(())
}

async fn put_back_what_somebody_changed(stage: &mut Stage) -> Result<()> {
    scale(stage, 5).await?;
    let is_back = |compute: &azureml_crds::MLCompute| {
        serde_json::to_value(compute).is_ok_and(|compute| compute["spec"]["scale"]["max"] == 4)
    };
    stage.scene.wait("cpu", "put back", is_back).await?;
    let app = healthy(stage).await?;
    stage.tell("a cluster changed by hand, with selfHeal", format!("put back; {}", said(&app)));
    Ok(())
}

async fn pruned(stage: &mut Stage) -> Result<()> {
    stage.repository.remove("examples/r-gbm/schedule.yaml")?;
    stage.repository.commit("Remove the schedule")?;
    stage.app.refresh().await?;
    stage.scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
    let app = healthy(stage).await?;
    stage.tell("a schedule removed from Git", format!("pruned; {}", said(&app)));
    stage.app.delete(&stage.scene).await?;
    stage.scene.wait_gone::<MLPipeline>("r-gbm").await?;
    stage.scene.wait_gone::<MLWorkspace>("team-a").await?;
    ensure!(stage.scene.versions().await?.is_empty(), "{:?}", stage.scene.versions().await?);
    stage.tell("the Application deleted with its resources", "every object is gone");
    stage.scene.check_contract()
}
