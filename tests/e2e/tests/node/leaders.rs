//! Whoever leads goes: asked to, or all at once. The other takes over, and works.

use crate::looks::container;
use crate::say;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::{Installed, PATIENCE};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a lease lasts in the chart as it is shipped.
const LEASE: Duration = Duration::from_secs(15);
/// How long after it another may take to notice: it looks every 2 s. The rest is for a busy machine.
const LATE: Duration = Duration::from_secs(5);

/// The leader's pod is deleted: it hands the lease over before it ends.
pub async fn deleted(installed: &Installed) -> Result<()> {
    let (pod, holder) = installed.leader_after("").await?;
    let began = Instant::now();
    installed.pod_api().delete(&pod, &DeleteParams::default()).await?;
    let (next, _) = installed.leader_after(&holder).await?;
    let took = began.elapsed();
    ensure!(next != pod, "the pod that was deleted leads again");
    works(installed, 3).await?;
    say(&format!("the leader's pod is deleted: another leads after {:.1} s", took.as_secs_f64()));
    // It is told to stop, gives the lease back, and is not waited for.
    ensure!(took < LEASE, "the lease was not handed over but ran out: {took:?}");
    Ok(())
}

/// The leader's process is killed: nobody hands anything over, so the lease has to run out.
pub async fn killed(installed: &Installed) -> Result<()> {
    let (pod, holder) = installed.leader_after("").await?;
    let pod = installed.pod_api().get(&pod).await?;
    let id = container(&pod).and_then(|container| container.container_id.clone()).context("no container")?;
    let processes = installed.node.processes(&id)?;
    ensure!(!processes.is_empty(), "the container has no process");
    let began = Instant::now();
    let numbers = processes.iter().map(ToString::to_string);
    ensure!(Command::new("kill").args(["-s", "KILL"]).args(numbers).status()?.success(), "kill failed");
    let (_, next) = installed.leader_after(&holder).await?;
    let took = began.elapsed();
    works(installed, 5).await?;
    say(&format!("the leader's container is killed: another leads after {:.1} s", took.as_secs_f64()));
    ensure!(
        took < LEASE + LATE,
        "{next} leads {took:?} after the leader was killed, and the lease lasts {LEASE:?}"
    );
    Ok(())
}

/// A change reaches Azure.
async fn works(installed: &Installed, nodes: u32) -> Result<()> {
    let (scene, since) = (&installed.scene, installed.scene.azure.requests().len());
    let change = json!({"spec": {"scale": {"max": nodes}}});
    scene.api::<MLCompute>().patch("cpu", &PatchParams::default(), &Patch::Merge(change)).await?;
    let found = scene.azure.wait_for(PATIENCE, |log| {
        log[since.min(log.len())..]
            .iter()
            .any(|entry| entry.is_write() && entry.url.contains("/computes/"))
            .then_some(())
    });
    found.await.context("the change never reached Azure")
}
