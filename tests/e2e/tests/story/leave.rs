//! Point 6: deleting.

use super::{all_ready, counted, expected, patch, told};
use anyhow::{Result, ensure};
use azureml_crds::{MLPipeline, MLSchedule, MLWorkspace};
use azureml_e2e::Scene;
use azureml_e2e::scene::{GROUP, WORKSPACE};
use azureml_plan::reasons::Reason;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn deleting_in_any_order_leaves_what_is_to_be_retained() -> Result<()> {
    let (scene, operator) = told("delete").await?;
    let since = scene.azure.requests().len();
    // The workspace first: it waits for everybody else.
    scene.kubectl(&["delete", "mlworkspace", "team-a", "--wait=false"]).await?;
    scene
        .wait::<MLWorkspace>("team-a", "in use", |workspace| {
            workspace.status.as_ref().is_some_and(|status| {
                status.common.conditions.iter().any(|condition| condition.reason == "InUse")
            })
        })
        .await?;
    scene.kubectl(&["delete", "mlpipeline", "r-gbm", "--wait=false"]).await?;
    scene.kubectl(&["delete", "-f", "examples/r-gbm/", "--wait=false", "--ignore-not-found"]).await?;
    scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
    scene.wait_gone::<MLPipeline>("r-gbm").await?;
    scene.wait_gone::<MLWorkspace>("team-a").await?;
    what_is_gone(&scene, since);
    scene.check_contract()?;
    operator.stop()
}

/// The schedule is disabled before it is deleted, the endpoint goes, clusters and environment stay.
fn what_is_gone(scene: &Scene, since: usize) {
    let writes = scene.writes(since);
    let operations: Vec<&str> = writes.iter().map(|entry| entry.operation.as_str()).collect();
    let schedule: Vec<&str> =
        operations.iter().copied().filter(|operation| operation.ends_with("schedules")).collect();
    assert_eq!(schedule, ["PUT workspaces/schedules", "DELETE workspaces/schedules"]);
    assert_eq!(
        operations.iter().filter(|operation| **operation == "DELETE workspaces/batchEndpoints").count(),
        1
    );
    assert!(
        !operations
            .iter()
            .any(|operation| operation.contains("computes") || operation.contains("environments")),
        "{operations:?}"
    );
    let state = scene.azure.state(GROUP, WORKSPACE).map(|state| state.to_string()).unwrap_or_default();
    assert!(!state.contains("r-gbm-team-a"), "the endpoint is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_comes_back_without_a_build() -> Result<()> {
    let (scene, operator) = told("back").await?;
    scene.kubectl(&["delete", "-f", "examples/r-gbm/"]).await?;
    // The same apply again: what was retained is taken over, what was archived comes back, nothing is built.
    let since = scene.azure.requests().len();
    scene.kubectl(&["apply", "-f", "examples/r-gbm/"]).await?;
    all_ready(&scene).await?;
    assert_eq!(
        counted(&scene.writes(since)),
        expected([
            ("PUT workspaces/batchEndpoints", 2),
            ("PUT workspaces/batchEndpoints/deployments", 1),
            ("PUT workspaces/components/versions", 3),
            ("PUT workspaces/schedules", 1),
        ])
    );
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_deletion_says_so_ends_by_itself_and_has_a_way_out() -> Result<()> {
    let (scene, operator) = told("blocked").await?;
    let refuse = |path: &str| json!({"id": path, "match": {"method": "DELETE", "path": path}, "do": {"status": 403, "code": "AuthorizationFailed"}});
    scene.azure.fault(refuse("/schedules/")).map_err(anyhow::Error::msg)?;
    scene.azure.fault(refuse("/batchEndpoints/")).map_err(anyhow::Error::msg)?;
    scene.kubectl(&["delete", "mlschedule", "r-gbm-weekdays", "--wait=false"]).await?;
    let blocked = |conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]| {
        conditions.iter().any(|condition| {
            condition.type_ == "Ready"
                && condition.reason == Reason::DELETION_BLOCKED.word()
                && condition.message.contains("deletionPolicy")
        })
    };
    scene
        .wait::<MLSchedule>("r-gbm-weekdays", "blocked", |schedule| {
            schedule.status.as_ref().is_some_and(|status| blocked(&status.common.conditions))
        })
        .await?;
    // The permission returns: it goes on by itself.
    ensure!(scene.azure.release("/schedules/", false), "there is no such fault");
    scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
    // It does not return: the user leaves Azure as it is.
    scene.kubectl(&["delete", "mlpipeline", "r-gbm", "--wait=false"]).await?;
    scene
        .wait::<MLPipeline>("r-gbm", "blocked", |pipeline| {
            pipeline.status.as_ref().is_some_and(|status| blocked(&status.common.conditions))
        })
        .await?;
    scene.told("MLPipeline/r-gbm", Reason::DELETION_BLOCKED.word(), "").await?;
    patch(&scene, "mlpipeline/r-gbm", &json!({"spec": {"deletionPolicy": "Retain"}})).await?;
    scene.wait_gone::<MLPipeline>("r-gbm").await?;
    operator.stop()
}
