//! The leader is cut off from Azure alone: it goes on leading, says so, and recovers.

use super::{Pair, Way, ready, says, scale};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::Scene;
use k8s_openapi::api::coordination::v1::Lease;

async fn lease(scene: &Scene) -> Result<(Option<String>, Option<i32>)> {
    let lease = scene.api::<Lease>().get("azureml-operator").await?;
    let spec = lease.spec.context("the lease is empty")?;
    Ok((spec.holder_identity, spec.lease_transitions))
}

/// Blocks the way to Azure while a change is waiting, and opens it again.
async fn blocked(name: &str, way: Way, again: Way) -> Result<()> {
    let pair = Pair::working(name).await?;
    let (before, since) = (lease(&pair.scene).await?, pair.scene.azure.requests().len());
    pair.azure.set(way);
    scale(&pair.scene, 7).await?;
    let told = says::<MLCompute>(&pair.scene, "cpu", "False", "AzureUnreachable").await?;
    ensure!(told["status"]["lastFailure"]["reason"] == "AzureUnreachable", "{told}");
    pair.azure.set(again);
    ready::<MLCompute>(&pair.scene, "cpu").await?;
    assert_eq!(pair.scene.writes(since).len(), 1, "{}", pair.scene.requests_shown(20));
    assert_eq!(lease(&pair.scene).await?, before);
    pair.is_silent()?;
    pair.second.stop()?;
    pair.first.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_azure_does_not_answer_keeps_the_lease_and_says_so() -> Result<()> {
    blocked("unanswered", Way::Hanging, Way::Open).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_azure_refuses_keeps_the_lease_and_says_so() -> Result<()> {
    blocked("unreachable", Way::Refused, Way::Open).await
}

/// What forgets connections, as a gateway that is replaced, leaves those that were open silent for ever.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_forgotten_on_the_way_are_given_up_and_made_anew() -> Result<()> {
    blocked("forgotten", Way::Hanging, Way::Forgotten).await
}
