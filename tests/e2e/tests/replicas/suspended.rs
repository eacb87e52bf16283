//! The leader is suspended beyond its lease and goes on: it writes nothing more and ends. A process that stops gives the lease back.

use super::{LATER, Pair, SECOND, compute, held, ready, scale, soon, workspace, writes};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLCompute, MLEnvironment};
use azureml_e2e::{PATIENCE, Scene};
use azureml_simulator::Entry;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn who_was_suspended_beyond_its_lease_writes_nothing_more_and_ends() -> Result<()> {
    let mut pair = Pair::working("suspended").await?;
    pair.told("MLCompute/cpu").await?;
    let (suspended, since) = (Instant::now(), pair.scene.azure.requests().len());
    pair.first.signal("STOP");
    pair.taken_over(suspended)?;
    scale(&pair.scene, 7).await?;
    ready::<MLCompute>(&pair.scene, "cpu").await?;
    // When it goes on it finds another size, and an object that it has never seen.
    scale(&pair.scene, 8).await?;
    let image = "{workspaceRef: {name: team-a}, image: 'ghcr.io/team/image:1'}";
    pair.scene.apply_objects(&super::manifest("MLEnvironment", "new", image)).await?;
    let client = pair.scene.start.client.clone();
    let (scene, second) = pair.resumed().await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    ready::<MLEnvironment>(&scene, "new").await?;
    let written = [&client, SECOND].map(|client| writes(&scene, since, client));
    assert_eq!(written, [0, 3], "{}", scene.requests_shown(20));
    second.stop()
}

/// Azure has the first write of the first leader and keeps it to itself; its sender is suspended, and the other leads and does
/// the same.
async fn in_flight(name: &str, soon: &str) -> Result<Pair> {
    let mut pair = Pair::set_with(name, soon).await?;
    let client = pair.scene.start.client.clone();
    let slow = json!({"id": "slow", "match": {"method": "PUT", "path": "/computes/", "client": client}, "do": "hold"});
    pair.scene.azure.fault(slow).map_err(anyhow::Error::msg)?;
    pair.scene.apply_objects(&(workspace() + &compute())).await?;
    held(&pair.scene, "slow").await?;
    pair.told("MLWorkspace/team-a").await?;
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
    let pair = in_flight("in-flight", &soon()).await?;
    let (before, since) = (pair.state(), pair.scene.azure.requests().len());
    ensure!(before.to_uppercase().contains("STANDARD_DS3_V2"), "{before}");
    arrives(&pair.scene).await?;
    let after = pair.state();
    let (scene, second) = pair.resumed().await?;
    assert_eq!(without_phases(&after), without_phases(&before));
    assert_eq!(writes(&scene, since, &scene.start.client), 0, "{}", scene.requests_shown(20));
    ready::<MLCompute>(&scene, "cpu").await?;
    second.stop()
}

/// How long a request may take here: time enough for the late one to arrive, as one that is late at most so much.
const TIMEOUT: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_that_a_change_has_overtaken_is_put_right_as_soon_as_no_other_can_come() -> Result<()> {
    let late = soon().replace("requestTimeout: 5s", &format!("requestTimeout: {}s", TIMEOUT.as_secs()));
    let pair = in_flight("overtaken", &late).await?;
    let led = Instant::now();
    scale(&pair.scene, 7).await?;
    ready::<MLCompute>(&pair.scene, "cpu").await?;
    let is_seven = |pair: &Pair| pair.state().contains("\"maxNodeCount\":7");
    ensure!(is_seven(&pair), "{}", pair.state());
    arrives(&pair.scene).await?;
    let since = pair.scene.azure.requests().len();
    ensure!(!is_seven(&pair), "the late write changed nothing: {}", pair.state());
    let put_right = |log: &[Entry]| {
        let mut log = log.iter().skip(since);
        log.any(|entry| entry.is_write() && entry.answered.is_some()).then_some(())
    };
    pair.scene.azure.wait_for(PATIENCE, put_right).await.context("it is not put right")?;
    // Nobody asked for it, and the next comparison by the clock is an hour away.
    let took = led.elapsed();
    ensure!(took < TIMEOUT + LATER, "it is put right after {took:?}");
    ensure!(is_seven(&pair), "{}", pair.state());
    let client = pair.scene.start.client.clone();
    let (scene, second) = pair.resumed().await?;
    assert_eq!([&client, SECOND].map(|client| writes(&scene, since, client)), [0, 1]);
    ready::<MLCompute>(&scene, "cpu").await?;
    second.stop()
}

/// The same without what a cluster is doing just now: the late write is an operation of its own, with nothing to do.
fn without_phases(state: &str) -> String {
    let phases =
        ["Creating", "Updating"].iter().fold(state.replace("\"Resizing\"", "\"Steady\""), |state, phase| {
            state.replace(&format!("\"{phase}\""), "\"Succeeded\"")
        });
    // Shown once a cluster has come to rest.
    phases.replace("\"propertyBag\":{},", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_gives_the_lease_back() -> Result<()> {
    let Pair { scene: _scene, first, second, kubernetes: _kubernetes, azure: _azure, .. } =
        Pair::set("handover").await?;
    let stopped = Instant::now();
    tokio::task::spawn_blocking(move || first.stop()).await??;
    second.leads()?;
    let took = stopped.elapsed();
    ensure!(took < super::LEASE, "the second waited for the lease to expire: {took:?}");
    second.stop()
}
