//! Point 2: the same again, a restart, and a forced pass write nothing to Azure.

use super::{counted, force, told};
use anyhow::Result;
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_changes_nothing() -> Result<()> {
    let (scene, operator) = told("again").await?;
    force(&scene, "settle").await?;
    let (requests, versions) = (scene.azure.requests().len(), scene.versions().await?);

    // Events are written aside; the last of them before the process ends.
    operator.stop()?;
    let events = scene.events().await?;

    // A restart: every object is looked at, nothing is written; and the same again changes nothing.
    let operator = scene.operator().await?;
    let printed = scene.kubectl(&["apply", "-f", "examples/r-gbm/"]).await?;
    assert_eq!(printed.lines().count(), printed.matches(" unchanged").count(), "{printed}");
    for (kind, name) in [
        ("MLWorkspace", "team-a"),
        ("MLCompute", "cpu"),
        ("MLCompute", "big"),
        ("MLEnvironment", "r-gbm"),
        ("MLPipeline", "r-gbm"),
        ("MLSchedule", "r-gbm-weekdays"),
    ] {
        operator.pass(0, kind, name)?;
    }
    assert_eq!(counted(&scene.writes(requests)), BTreeMap::new());
    assert_eq!(scene.versions().await?, versions);
    assert_eq!(scene.events().await?, events);

    // A forced pass over everything costs one write of each object's status, beside the annotation's own.
    let mut following = scene.follow().await?;
    force(&scene, "forced").await?;
    let writes = following.writes(&scene).await?;
    assert_eq!(writes, versions.keys().map(|name| (name.clone(), 2)).collect());
    assert_eq!(counted(&scene.writes(requests)), BTreeMap::new());
    assert_eq!(scene.events().await?, events);
    scene.check_contract()?;
    operator.stop()?;
    assert_eq!(scene.events().await?, events);
    Ok(())
}
