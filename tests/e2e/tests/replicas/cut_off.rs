//! The leader is cut off from the API server: it ends before the other begins, and what it had begun is done once.

use super::{Pair, SECOND, Way, compute, gave_up, held, ready, scale, workspace, writes};
use anyhow::{Context as _, Result, ensure};
use azureml_controller::telemetry::texts;
use azureml_crds::{MLCompute, MLWorkspace};
use azureml_e2e::PATIENCE;
use azureml_e2e::operator::soon_with_lease;
use azureml_simulator::Entry;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::wait::await_condition;
use serde_json::json;
use std::time::{Duration, Instant};

/// Takes the API server away from the first, and waits until it has ended and the second leads.
async fn cut(pair: Pair, way: Way) -> Result<Pair2> {
    pair.is_silent()?;
    let since = pair.scene.azure.requests().len();
    let began = Instant::now();
    pair.kubernetes.set(way);
    let Pair { scene, kubernetes, azure, first, second, .. } = pair;
    gave_up(first).await?;
    // The deadline of the one is before the lease of the other.
    ensure!(!second.lines().iter().any(|line| line["message"] == texts::LEADING), "two led at once");
    second.leads()?;
    let took = began.elapsed();
    ensure!(took < super::LEASE + super::LATER, "taken over after {took:?}");
    kubernetes.set(Way::Open);
    Ok(Pair2 { scene, second, since, _ways: [kubernetes, azure] })
}

/// What is left of a pair.
struct Pair2 {
    scene: azureml_e2e::Scene,
    second: azureml_e2e::Operator,
    since: usize,
    _ways: [azureml_e2e::relay::Relay; 2],
}

impl Pair2 {
    /// The first wrote nothing more, and the second does what is asked.
    async fn goes_on(self, of_second: usize) -> Result<()> {
        ready::<MLCompute>(&self.scene, "cpu").await?;
        scale(&self.scene, 7).await?;
        ready::<MLCompute>(&self.scene, "cpu").await?;
        let written =
            [&self.scene.start.client, SECOND].map(|client| writes(&self.scene, self.since, client));
        assert_eq!(written, [0, of_second], "{}", self.scene.requests_shown(20));
        self.second.stop()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_connections_hang_ends_and_the_other_leads() -> Result<()> {
    let pair = Pair::working("hanging").await?;
    cut(pair, Way::Hanging).await?.goes_on(1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_refused_ends_and_the_other_leads() -> Result<()> {
    let pair = Pair::working("refused").await?;
    cut(pair, Way::Refused).await?.goes_on(1).await
}

/// The first try to renew is lost with its connection, and there is time for another.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_lost_does_not_cost_the_lease() -> Result<()> {
    let deadline = Duration::from_secs(6);
    let pair = Pair::set_with("lost", &soon_with_lease(9, 6)).await?;
    let leases = pair.scene.api::<Lease>();
    let spec = |lease: &Lease| lease.spec.clone().unwrap_or_default();
    let before = spec(&leases.get("azureml-operator").await?);
    let lost = Timestamp::now();
    pair.kubernetes.set(Way::Forgotten);
    let renewed = |lease: Option<&Lease>| {
        let at = lease.and_then(|lease| spec(lease).renew_time);
        at.is_some_and(|at| at.0.duration_since(lost) > deadline.try_into().unwrap_or_default())
    };
    let waited = tokio::time::timeout(PATIENCE, await_condition(leases, "azureml-operator", renewed)).await;
    let after = spec(&waited??.context("the lease is gone")?);
    assert_eq!(after.holder_identity, before.holder_identity);
    pair.is_silent()?;
    pair.second.stop()?;
    pair.first.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_provisioned_is_waited_for_by_the_next_leader_and_not_begun_again() -> Result<()> {
    let pair = Pair::set("provisioning").await?;
    let long = json!({"id": "long", "match": {"path": "/computes/"}, "when": "outcome", "do": "hold"});
    pair.scene.azure.fault(long).map_err(anyhow::Error::msg)?;
    pair.scene.apply_objects(&(workspace() + &compute())).await?;
    let begun = |log: &[Entry]| {
        log.iter()
            .any(|entry| entry.operation == "PUT workspaces/computes" && entry.answered.is_some())
            .then_some(())
    };
    pair.scene.azure.wait_for(PATIENCE, begun).await.context("nothing was begun")?;
    let left = cut(pair, Way::Hanging).await?;
    left.second.pass(0, "MLCompute", "cpu")?;
    ensure!(left.scene.azure.release("long", false), "there was nothing to release");
    left.goes_on(1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_never_came_is_not_written_again_by_the_next_leader() -> Result<()> {
    let pair = Pair::set("answerless").await?;
    let lost = json!({"id": "lost", "match": {"method": "PUT", "path": "/computes/", "client": pair.scene.start.client},
                      "when": "after", "do": "hold"});
    pair.scene.azure.fault(lost).map_err(anyhow::Error::msg)?;
    pair.scene.apply_objects(&(workspace() + &compute())).await?;
    held(&pair.scene, "lost").await?;
    let left = cut(pair, Way::Refused).await?;
    ready::<MLWorkspace>(&left.scene, "team-a").await?;
    left.goes_on(1).await
}
