//! Point 3: one byte of the Dockerfile, and back.

use super::{all_ready, counted, expected, told};
use anyhow::{Context as _, Result};
use azureml_crds::MLPipeline;
use azureml_e2e::Scene;
use azureml_plan::report::is_ready;

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_is_one_build_and_one_new_version_of_everything_above_it() -> Result<()> {
    let (scene, operator) = told("change").await?;
    let before = scene.api::<MLPipeline>().get("r-gbm").await?.status.context("no status")?;
    let uri = before.endpoint.as_ref().and_then(|endpoint| endpoint.scoring_uri.clone());
    let since = scene.azure.requests().len();
    let original = std::fs::read_to_string(azureml_e2e::root().join("examples/r-gbm/environment.yaml"))?;
    scene.apply(&original.replace("FROM rocker/r-ver:4.4.2", "FROM rocker/r-ver:4.4.3")).await?;
    let is_another = |pipeline: &MLPipeline| {
        let status = pipeline.status.clone().unwrap_or_default();
        status.version != before.version && is_ready(&status.common.conditions)
    };
    scene.wait::<MLPipeline>("r-gbm", "of another version", is_another).await?;
    all_ready(&scene).await?;
    assert_eq!(
        counted(&scene.writes(since)),
        expected([
            ("POST registries/listBuildSourceUploadUrl", 1),
            ("PUT blob", 1),
            ("PUT registries/taskRuns", 1),
            ("PUT workspaces/batchEndpoints", 1),
            ("PUT workspaces/batchEndpoints/deployments", 1),
            ("PUT workspaces/components/versions", 3),
            ("PUT workspaces/environments/versions", 1),
            ("PUT workspaces/schedules", 1),
        ])
    );
    let after = scene.api::<MLPipeline>().get("r-gbm").await?.status.context("no status")?;
    assert_eq!(after.endpoint.as_ref().and_then(|endpoint| endpoint.scoring_uri.clone()), uri);

    and_back(&scene, &original, before.version).await?;
    scene.check_contract()?;
    operator.stop()
}

/// Everything is still there, nothing is built.
async fn and_back(scene: &Scene, original: &str, version: Option<String>) -> Result<()> {
    let since = scene.azure.requests().len();
    scene.apply(original).await?;
    scene
        .wait::<MLPipeline>("r-gbm", "of the first version", |pipeline| {
            pipeline
                .status
                .as_ref()
                .is_some_and(|status| status.version == version && is_ready(&status.common.conditions))
        })
        .await?;
    all_ready(scene).await?;
    assert_eq!(
        counted(&scene.writes(since)),
        expected([("PUT workspaces/batchEndpoints", 1), ("PUT workspaces/schedules", 1)])
    );
    Ok(())
}
