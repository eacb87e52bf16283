//! Two processes, one writer: one that is suspended beyond its lease writes nothing more, and one that stops gives it back.

use crate::{compute, patch, ready, workspace};
use anyhow::{Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::operator::Start;
use azureml_e2e::{Operator, Scene, Setting};
use serde_json::json;
use std::time::{Duration, Instant};

/// The lease of [`azureml_e2e::operator::SOON`].
const LEASE: Duration = Duration::from_secs(3);

/// A second operator, told apart by its own application.
async fn standby(scene: &Scene) -> Result<(Operator, String)> {
    let client = "bbbbbbbb-0000-4000-8000-000000000002".to_owned();
    let start = Start { client: client.clone(), ..scene.start.clone() };
    let operator = tokio::task::spawn_blocking(move || Operator::start(&start)).await??;
    operator.address()?;
    Ok((operator, client))
}

/// The writes of an application since a place in the log.
fn writes(scene: &Scene, since: usize, client: &str) -> usize {
    scene.writes(since).iter().filter(|entry| entry.client.as_deref() == Some(client)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_suspended_beyond_its_lease_writes_nothing_more_and_ends() -> Result<()> {
    let scene = Scene::set("suspended", Setting::default()).await?;
    let mut first = scene.operator().await?;
    let (second, second_client) = standby(&scene).await?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    assert_eq!(writes(&scene, 0, &second_client), 0, "who does not lead does not write");
    let (suspended, since) = (Instant::now(), scene.azure.requests().len());
    first.signal("STOP");
    second.leads()?;
    ensure!(suspended.elapsed() < LEASE + Duration::from_secs(2), "takeover after {:?}", suspended.elapsed());
    patch(&scene, "mlcompute/cpu", &json!({"spec": {"scale": {"max": 7}}})).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    patch(&scene, "mlcompute/cpu", &json!({"spec": {"scale": {"max": 8}}})).await?;
    first.signal("CONT");
    let ended = tokio::task::spawn_blocking(move || first.ended()).await??;
    ensure!(!ended.success(), "it did not say that it lost the lease: {ended}");
    ready::<MLCompute>(&scene, "cpu").await?;
    assert_eq!(writes(&scene, since, &scene.start.client), 0, "{}", scene.requests_shown(20));
    assert_eq!(writes(&scene, since, &second_client), 2, "{}", scene.requests_shown(20));
    second.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_gives_the_lease_back() -> Result<()> {
    let scene = Scene::set("handover", Setting::default()).await?;
    let first = scene.operator().await?;
    let (second, _) = standby(&scene).await?;
    let stopped = Instant::now();
    tokio::task::spawn_blocking(move || first.stop()).await??;
    second.leads()?;
    ensure!(stopped.elapsed() < LEASE, "the second waited for the lease to expire: {:?}", stopped.elapsed());
    second.stop()
}
