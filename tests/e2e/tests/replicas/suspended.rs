//! The leader is suspended beyond its lease and goes on: it writes nothing more and ends. Who stops gives the lease back.

use crate::{Pair, SECOND, compute, gave_up, held, ready, scale, workspace, writes};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::{PATIENCE, Scene};
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

/// Azure has the first write of the first leader and keeps it to itself; its sender is suspended, and the other leads and does
/// the same.
async fn in_flight(name: &str) -> Result<Pair> {
    let mut pair = Pair::set(name).await?;
    let client = pair.scene.start.client.clone();
    let slow = json!({"id": "slow", "match": {"method": "PUT", "path": "/computes/", "client": client}, "do": "hold"});
    pair.scene.azure.fault(slow).map_err(anyhow::Error::msg)?;
    pair.scene.apply_objects(&(workspace() + &compute())).await?;
    held(&pair.scene, "slow").await?;
    let suspended = Instant::now();
    pair.first.signal("STOP");
    pair.taken_over(suspended)?;
    ready::<MLCompute>(&pair.scene, "cpu").await?;
    Ok(pair)
}

/// Azure carries it out after all.
async fn arrives(scene: &Scene) -> Result<()> {
    let client = scene.start.client.as_str();
    ensure!(scene.azure.release("slow", false), "there was nothing to release");
    let late = |log: &[Entry]| {
        let is_it = |entry: &&Entry| entry.client.as_deref() == Some(client) && entry.method == "PUT";
        log.iter().find(is_it).filter(|entry| entry.answered.is_some()).map(|entry| entry.status)
    };
    let status = scene.azure.wait_for(PATIENCE, late).await.context("the late write is not answered")?;
    ensure!(status.is_some_and(|status| status < 300), "the late write had no chance: {status:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_in_flight_arrives_late_and_changes_nothing() -> Result<()> {
    let mut pair = in_flight("in-flight").await?;
    let (before, since) = (pair.state(), pair.scene.azure.requests().len());
    ensure!(before.to_uppercase().contains("STANDARD_DS3_V2"), "{before}");
    arrives(&pair.scene).await?;
    pair.first.signal("CONT");
    let after = pair.state();
    let Pair { scene, first, second, .. } = pair;
    gave_up(first).await?;
    assert_eq!(without_phases(&after), without_phases(&before));
    assert_eq!(writes(&scene, since, &scene.start.client), 0, "{}", scene.requests_shown(20));
    ready::<MLCompute>(&scene, "cpu").await?;
    second.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_that_a_change_has_overtaken_is_put_right_by_the_next_comparison() -> Result<()> {
    let mut pair = in_flight("overtaken").await?;
    scale(&pair.scene, 7).await?;
    ready::<MLCompute>(&pair.scene, "cpu").await?;
    let is_seven = |pair: &Pair| pair.state().contains("\"maxNodeCount\":7");
    ensure!(is_seven(&pair), "{}", pair.state());
    arrives(&pair.scene).await?;
    ensure!(!is_seven(&pair), "the late write changed nothing: {}", pair.state());
    pair.first.signal("CONT");
    let ask = format!("{}=late", azureml_crds::RECONCILE_REQUESTED_AT);
    pair.scene.kubectl(&["annotate", "mlcompute/cpu", &ask]).await?;
    let handled = |compute: &MLCompute| {
        let status = compute.status.as_ref();
        status.is_some_and(|status| status.common.last_handled_reconcile_at.as_deref() == Some("late"))
    };
    pair.scene.wait::<MLCompute>("cpu", "compared", handled).await?;
    ready::<MLCompute>(&pair.scene, "cpu").await?;
    ensure!(is_seven(&pair), "it is not put right: {}", pair.state());
    let Pair { first, second, .. } = pair;
    gave_up(first).await?;
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
