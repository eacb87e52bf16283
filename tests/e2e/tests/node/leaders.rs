//! The leader goes: asked to, or all at once. The other takes over, and works.

use crate::say;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::{Installed, PATIENCE};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use std::time::Duration;

/// How long a lease lasts in the chart as it is shipped.
const LEASE: Duration = Duration::from_secs(15);
/// How long after it another may take to lead.
const LATE: Duration = Duration::from_secs(10);

/// The leader's pod is deleted: it hands the lease over before it ends.
pub async fn deleted(installed: &Installed) -> Result<()> {
    let took = installed.delete_leader().await?;
    works(installed, 3).await?;
    say(&format!("the leader's pod is deleted: another leads after {:.1} s", took.as_secs_f64()));
    // It is told to stop, gives the lease back, and is not waited for.
    ensure!(took < LEASE, "the lease was not handed over but ran out: {took:?}");
    Ok(())
}

/// The leader's process is killed: nobody hands anything over, so the lease has to run out.
pub async fn killed(installed: &Installed) -> Result<()> {
    let took = installed.kill_leader().await?;
    works(installed, 5).await?;
    say(&format!("the leader's container is killed: another leads after {:.1} s", took.as_secs_f64()));
    ensure!(
        took < LEASE + LATE,
        "another leads {took:?} after the leader was killed; the lease lasts {LEASE:?}"
    );
    Ok(())
}

/// A change reaches Azure.
async fn works(installed: &Installed, nodes: u32) -> Result<()> {
    let (scene, since) = (&installed.scene, installed.scene.azure.requests().len());
    let change = json!({"spec": {"scale": {"max": nodes}}});
    scene.api::<MLCompute>().patch("cpu", &PatchParams::default(), &Patch::Merge(change)).await?;
    let found = scene.azure.wait_for(PATIENCE, |log| {
        let mut log = log[since.min(log.len())..].iter();
        log.any(|entry| entry.is_write() && entry.url.contains("/computes/")).then_some(())
    });
    found.await.context("the change never reached Azure")
}
