//! The aim: to run another team's pipeline version, or on what is not the tenant's, by writing it into a status.
//!
//! Before: `status.current` was believed.

use super::{granting, manifest, message, patch, patch_status, ready, says, workspace};
use anyhow::{Result, ensure};
use azureml_crds::{MLPipeline, MLRun, MLSchedule};
use azureml_e2e::{Scene, Setting};
use serde_json::json;

fn pipeline() -> String {
    let environment = "workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'";
    let cluster = "workspaceRef: {name: team-a}, vmSize: Standard_DS3_v2, scale: {max: 4}";
    let spec = "workspaceRef: {name: team-a}, defaults: {compute: {ref: cpu}, environment: {ref: image}}, steps: [{name: only, command: 'true'}]";
    [
        manifest("MLCompute", "cpu", cluster),
        manifest("MLEnvironment", "image", environment),
        manifest("MLPipeline", "p", spec),
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_somebody_wrote_into_a_status_is_not_run() -> Result<()> {
    let setting = Setting { config: granting("{namespaces: ['*']}"), ..Setting::default() };
    let scene = Scene::set("forge", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline())).await?;
    let made = ready::<MLPipeline>(&scene, "p").await?;
    let own = made["status"]["current"]["componentId"].as_str().unwrap_or_default().to_owned();
    let (before, _) = own.split_once("/components/").unwrap_or_default();
    let others = [
        json!({"componentId": format!("{before}/components/victim_pipeline_12345678/versions/1")}),
        json!({"settings": {"defaultCompute": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/other/computes/gpu"}}),
    ];
    for (number, forged) in others.iter().enumerate() {
        patch_status(&scene, "mlpipeline/p", &json!({"current": made["status"]["current"]})).await?;
        patch_status(&scene, "mlpipeline/p", &json!({"current": forged})).await?;
        let (run, schedule) = (format!("run-{number}"), format!("nightly-{number}"));
        let spec = "pipelineRef: {name: p}";
        scene
            .apply_objects(
                &(manifest("MLRun", &run, spec)
                    + &manifest("MLSchedule", &schedule, &format!("{spec}, cron: '0 3 * * *'"))),
            )
            .await?;
        let refused = says::<MLRun>(&scene, &run, "False", "StatusNotBelieved").await?;
        ensure!(message(&refused).contains("none of this pipeline's"), "{refused}");
        says::<MLSchedule>(&scene, &schedule, "False", "StatusNotBelieved").await?;
    }
    let sent = scene.writes(0);
    let is_job =
        |entry: &&azureml_simulator::Entry| entry.url.contains("/jobs/") || entry.url.contains("/schedules/");
    ensure!(sent.iter().find(is_job).is_none(), "{}", scene.requests_shown(20));
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_under_another_identity_is_not_run() -> Result<()> {
    let granted = "{namespaces: ['*'], workspaces: [mlw-team-a]}";
    let scene = Scene::set("accepted", Setting { config: granting(granted), ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    let tenant = scene.azure.tenant_id();
    let own = format!(
        "identity: {{tenantId: {tenant}, clientId: cccccccc-0000-4000-8000-000000000001, secretRef: {{name: own}}}}"
    );
    scene.kubectl(&["create", "secret", "generic", "own", "--from-literal=clientSecret=s"]).await?;
    let theirs = "azureml://subscriptions/s/resourcegroups/g/workspaces/victim/datastores/d/paths/p";
    let pipeline = pipeline().replace(
        "defaults: {",
        &format!("outputs: {{x: {{type: uri_folder, path: '{theirs}'}}}}, defaults: {{"),
    );
    scene.apply_objects(&(workspace(&format!(", {own}")) + &pipeline)).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    // From here on the operator's identity would send it.
    patch(&scene, "mlworkspace/team-a", &json!({"spec": {"identity": null}})).await?;
    scene.apply_objects(&manifest("MLRun", "run", "pipelineRef: {name: p}")).await?;
    says::<MLPipeline>(&scene, "p", "False", "WorkspaceNotGranted").await?;
    let waits = says::<MLRun>(&scene, "run", "False", "WorkspaceNotGranted").await?;
    ensure!(message(&waits).contains("victim"), "{waits}");
    let is_job = |entry: &azureml_simulator::Entry| entry.url.contains("/jobs/");
    ensure!(!scene.writes(0).iter().any(is_job), "{}", scene.requests_shown(20));
    operator.stop()
}
