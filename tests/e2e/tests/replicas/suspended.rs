//! The leader is suspended beyond its lease and goes on: it writes nothing more and ends. Who stops gives the lease back.

use crate::{Pair, SECOND, compute, gave_up, held, ready, scale, workspace, writes};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::PATIENCE;
use azureml_simulator::Entry;
use serde_json::json;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn who_was_suspended_beyond_its_lease_writes_nothing_more_and_ends() -> Result<()> {
    let mut pair = Pair::working("suspended").await?;
    let (suspended, since) = (Instant::now(), pair.scene.azure.requests().len());
    pair.first.signal("STOP");
    pair.taken_over(suspended)?;
    scale(&pair.scene, 7).await?;
    ready::<MLCompute>(&pair.scene, "cpu").await?;
    scale(&pair.scene, 8).await?;
    pair.first.signal("CONT");
    let Pair { scene, first, second, .. } = pair;
    gave_up(first).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let written = [&scene.start.client, SECOND].map(|client| writes(&scene, since, client));
    assert_eq!(written, [0, 2], "{}", scene.requests_shown(20));
    second.stop()
}

/// Azure has a request and keeps it to itself; its sender is suspended; the other leads and does the same; then Azure
/// carries the first out too.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_in_flight_arrives_late_and_changes_nothing() -> Result<()> {
    let mut pair = Pair::set("in-flight").await?;
    let client = pair.scene.start.client.clone();
    let slow = json!({"id": "slow", "match": {"method": "PUT", "path": "/computes/", "client": client}, "do": "hold"});
    pair.scene.azure.fault(slow).map_err(anyhow::Error::msg)?;
    pair.scene.apply_objects(&(workspace() + &compute())).await?;
    held(&pair.scene, "slow").await?;
    let (suspended, since) = (Instant::now(), pair.scene.azure.requests().len());
    pair.first.signal("STOP");
    pair.taken_over(suspended)?;
    ready::<MLCompute>(&pair.scene, "cpu").await?;
    let before = pair.state();
    ensure!(before.contains("Standard_DS3_v2") || before.contains("STANDARD_DS3_V2"), "{before}");
    ensure!(pair.scene.azure.release("slow", false), "there was nothing to release");
    let late = |log: &[Entry]| {
        let is_it = |entry: &&Entry| entry.client.as_deref() == Some(&client) && entry.method == "PUT";
        log.iter().find(is_it).filter(|entry| entry.answered.is_some()).map(|entry| entry.status)
    };
    let status = pair.scene.azure.wait_for(PATIENCE, late).await.context("the late write is not answered")?;
    ensure!(status.is_some_and(|status| status < 300), "the late write had no chance: {status:?}");
    pair.first.signal("CONT");
    let after = pair.state();
    let Pair { scene, first, second, .. } = pair;
    gave_up(first).await?;
    assert_eq!(without_phases(&after), without_phases(&before));
    assert_eq!(writes(&scene, since, &client), 0, "{}", scene.requests_shown(20));
    ready::<MLCompute>(&scene, "cpu").await?;
    second.stop()
}

/// The same without what a cluster is doing just now: the late write is an operation of its own, with nothing to do.
fn without_phases(state: &str) -> String {
    state.replace("\"Updating\"", "\"Succeeded\"").replace("\"Resizing\"", "\"Steady\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_gives_the_lease_back() -> Result<()> {
    let Pair { scene: _scene, first, second, kubernetes: _kubernetes, azure: _azure, .. } =
        Pair::set("handover").await?;
    let stopped = Instant::now();
    tokio::task::spawn_blocking(move || first.stop()).await??;
    second.leads()?;
    let took = stopped.elapsed();
    ensure!(took < crate::LEASE, "the second waited for the lease to expire: {took:?}");
    second.stop()
}
