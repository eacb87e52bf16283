//! An older api-version: every body is valid under 2024-04-01 too, and every answer is understood.

use super::{accepted, manifest, pipeline, ready, workspace};
use anyhow::{Result, ensure};
use azureml_crds::ml_run::Phase;
use azureml_crds::{MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Scene, Setting};

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_spoken_in_2024_04_01_too() -> Result<()> {
    let older = SOON.replace("azure: {", "azure: {apiVersions: {machineLearning: '2024-04-01'}, ");
    let scene =
        Scene::set("older", Setting { config: format!("{GRANTS}{older}"), ..Setting::default() }).await?;
    let operator = scene.operator().await?;
    let schedule = manifest(
        "MLSchedule",
        "nightly",
        "pipelineRef: {name: p}, cron: '0 6 * * 1-5', timeZone: Europe/Zurich",
    );
    let all = workspace("") + &pipeline(", publish: {endpoint: p-older}") + &schedule;
    scene.apply_objects(&all).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    ready::<MLSchedule>(&scene, "nightly").await?;
    scene.apply_objects(&manifest("MLRun", "one", "pipelineRef: {name: p}")).await?;
    let is_done =
        |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase == Some(Phase::Succeeded));
    scene.wait("one", "succeeded", is_done).await?;
    scene.delete_objects(&all).await?;
    scene.wait_gone::<MLWorkspace>("team-a").await?;
    let is_learning = |url: &String| {
        url.starts_with("/subscriptions/") && url.contains("Microsoft.MachineLearningServices")
    };
    let urls = scene.azure.requests().into_iter().map(|entry| entry.url).filter(is_learning);
    let other: Vec<String> = urls.filter(|url| !url.contains("api-version=2024-04-01")).collect();
    ensure!(other.is_empty(), "{other:?}");
    assert_eq!(accepted(&scene, "DELETE workspaces/schedules"), 1);
    scene.check_contract()?;
    operator.stop()
}
