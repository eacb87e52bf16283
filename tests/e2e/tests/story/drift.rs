//! Point 5: what somebody changes in Azure is listed, or put back.

use super::{all_ready, counted, expected, force, patch, told};
use anyhow::{Context as _, Result};
use azureml_crds::{MLCompute, MLSchedule};
use azureml_e2e::Scene;
use azureml_plan::report::is_ready;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Somebody gives the cluster more nodes, and switches the schedule off.
async fn meddle(scene: &Scene) -> Result<()> {
    let name = |id: Option<String>| -> Result<String> {
        let id = id.context("no Azure id")?;
        Ok(id.rsplit('/').next().unwrap_or_default().to_owned())
    };
    let cpu = scene.api::<MLCompute>().get("cpu").await?;
    let cluster = name(cpu.status.and_then(|status| status.common.azure_id))?;
    let schedule = scene.api::<MLSchedule>().get("r-gbm-weekdays").await?;
    let timer = name(schedule.status.and_then(|status| status.common.azure_id))?;
    let more = json!({"properties": {"properties": {"scaleSettings": {"maxNodeCount": 40}}}});
    scene.portal("computes", &cluster, &more).await?;
    scene.portal("schedules", &timer, &json!({"properties": {"isEnabled": false}})).await
}

async fn treat(scene: &Scene, policy: &Value) -> Result<()> {
    let policy = json!({"spec": {"driftPolicy": policy}});
    patch(scene, "mlcompute/cpu", &policy).await?;
    patch(scene, "mlschedule/r-gbm-weekdays", &policy).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_in_azure_is_told_and_left() -> Result<()> {
    let (scene, operator) = told("drift").await?;
    treat(&scene, &json!("Report")).await?;
    all_ready(&scene).await?;
    meddle(&scene).await?;
    let since = scene.azure.requests().len();
    force(&scene, "look").await?;
    let drifted = scene
        .wait::<MLCompute>("cpu", "drifted", |compute| {
            compute.status.as_ref().is_some_and(|status| !status.common.drift.is_empty())
        })
        .await?;
    let drift = drifted.status.map(|status| status.common.drift).unwrap_or_default();
    assert_eq!(
        (drift[0].path.as_str(), drift[0].want.as_str(), drift[0].have.as_str()),
        ("properties.properties.scaleSettings.maxNodeCount", "4", "40")
    );
    let is_told = |schedule: &MLSchedule| {
        let drift = schedule.status.as_ref().map(|status| status.common.drift.clone()).unwrap_or_default();
        drift.iter().any(|drift| drift.path == "isEnabled")
    };
    scene.wait::<MLSchedule>("r-gbm-weekdays", "drifted", is_told).await?;
    assert_eq!(counted(&scene.writes(since)), BTreeMap::new());

    // The user decides otherwise: it is put back.
    treat(&scene, &Value::Null).await?;
    is_put_back(&scene, since).await?;
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_in_azure_is_put_back() -> Result<()> {
    let (scene, operator) = told("correct").await?;
    meddle(&scene).await?;
    let since = scene.azure.requests().len();
    force(&scene, "look").await?;
    is_put_back(&scene, since).await?;
    scene.check_contract()?;
    operator.stop()
}

/// By one write each, and both are ready.
async fn is_put_back(scene: &Scene, since: usize) -> Result<()> {
    let both = |log: &[azureml_simulator::Entry]| {
        (log.iter().skip(since).filter(|entry| entry.is_write() && entry.answered.is_some()).count() >= 2)
            .then_some(())
    };
    scene.azure.wait_for(azureml_e2e::PATIENCE, both).await.context("nothing is put back")?;
    scene
        .wait::<MLCompute>("cpu", "put back", |compute| {
            let common = compute.status.as_ref().map(|status| status.common.clone()).unwrap_or_default();
            common.drift.is_empty() && is_ready(&common.conditions)
        })
        .await?;
    scene
        .wait::<MLSchedule>("r-gbm-weekdays", "put back", |schedule| {
            let common = schedule.status.as_ref().map(|status| status.common.clone()).unwrap_or_default();
            common.drift.is_empty() && is_ready(&common.conditions)
        })
        .await?;
    let writes = counted(&scene.writes(since));
    assert_eq!(writes, expected([("PATCH workspaces/computes", 1), ("PUT workspaces/schedules", 1)]));
    Ok(())
}
