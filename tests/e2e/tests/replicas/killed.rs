//! The leader dies: the other, silent until then, goes on where it was.

use super::{LATER, LEASE, Pair, SECOND, ready, scale, writes};
use anyhow::{Result, ensure};
use azureml_crds::MLCompute;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_silent_and_leads_when_the_leader_is_killed() -> Result<()> {
    let pair = Pair::working("killed").await?;
    pair.is_silent()?;
    let Pair { scene, first, second, kubernetes: _kubernetes, azure: _azure, .. } = pair;
    let (killed, since) = (Instant::now(), scene.azure.requests().len());
    first.kill();
    second.leads()?;
    ensure!(killed.elapsed() < LEASE + LATER, "taken over after {:?}", killed.elapsed());
    second.pass(0, "MLCompute", "cpu")?;
    assert_eq!(scene.writes(since).len(), 0, "{}", scene.requests_shown(20));
    scale(&scene, 7).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    assert_eq!((writes(&scene, since, &scene.start.client), writes(&scene, since, SECOND)), (0, 1));
    second.stop()
}
