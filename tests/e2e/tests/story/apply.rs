//! Point 1: one apply, in any order.

use super::{all_ready, counted, expected};
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::{Scene, Setting};
use azureml_simulator::Entry;
use regex::Regex;

#[tokio::test(flavor = "multi_thread")]
async fn one_apply_in_any_order_publishes_and_schedules_the_pipeline() -> Result<()> {
    let scene = Scene::set("apply", Setting::default()).await?;
    let operator = scene.operator().await?;
    // The schedule first, the workspace last.
    for file in ["schedule", "pipeline", "environment", "computes", "workspace"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    all_ready(&scene).await?;
    let writes = scene.writes(0);
    let last = writes.iter().filter_map(|entry| entry.answered).max().context("no write was answered")?;
    let after = jiff::Timestamp::now().duration_since(last);
    ensure!(after < jiff::SignedDuration::from_secs(10), "all was ready {after:#} after the last write");
    assert_eq!(
        counted(&writes),
        expected([
            ("POST registries/listBuildSourceUploadUrl", 1),
            ("PUT blob", 3),
            ("PUT registries/taskRuns", 1),
            ("PUT workspaces/batchEndpoints", 2),
            ("PUT workspaces/batchEndpoints/deployments", 1),
            ("PUT workspaces/codes/versions", 2),
            ("POST workspaces/codes/versions/startPendingUpload", 2),
            ("PUT workspaces/components/versions", 3),
            ("PUT workspaces/computes", 2),
            ("PUT workspaces/environments/versions", 1),
            ("PUT workspaces/schedules", 1),
        ])
    );
    what_azure_got(&writes)?;
    scene.check_contract()?;
    operator.stop()
}

/// The Windows name of the time zone, and an image that is pinned.
fn what_azure_got(writes: &[Entry]) -> Result<()> {
    let schedule = writes
        .iter()
        .find(|entry| entry.operation == "PUT workspaces/schedules")
        .context("no schedule")?
        .json_body();
    let trigger = &schedule["properties"]["trigger"];
    assert_eq!(trigger["timeZone"], "W. Europe Standard Time");
    assert_eq!(trigger["expression"], "0 6 * * MON-FRI");
    assert_eq!(trigger["startTime"], "2020-01-01T00:00:00");
    let environment = writes
        .iter()
        .find(|entry| entry.operation == "PUT workspaces/environments/versions")
        .context("no environment")?
        .json_body();
    let image = environment["properties"]["image"].as_str().unwrap_or_default().to_owned();
    ensure!(Regex::new("@sha256:[0-9a-f]{64}$")?.is_match(&image), "{image} is not pinned");
    Ok(())
}
