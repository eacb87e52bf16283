//! Point 4: a run, and a run that fails.

use super::{counted, expected, told};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLRun;
use azureml_crds::ml_run::Phase;
use azureml_simulator::Entry;
use kube::ResourceExt as _;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_one_job_and_its_status_tells_every_step() -> Result<()> {
    let (scene, operator) = told("run").await?;
    let since = scene.azure.requests().len();
    let printed = scene.kubectl(&["create", "-f", "examples/runs/r-gbm.yaml", "-o", "name"]).await?;
    let name = printed.trim().rsplit('/').next().unwrap_or_default().to_owned();
    scene.kubectl(&["wait", &format!("mlrun/{name}"), "--for=condition=Succeeded", "--timeout=60s"]).await?;
    let writes: Vec<Entry> =
        scene.writes(since).into_iter().filter(|entry| entry.operation.contains("jobs")).collect();
    assert_eq!(counted(&writes), expected([("PUT workspaces/jobs", 1)]));
    let body = writes[0].json_body();
    assert_eq!(body["properties"]["inputs"]["trees"], json!({"jobInputType": "literal", "value": "50"}));
    ensure!(
        !writes[0].headers.iter().any(|(name, _)| name == "x-azureml-token"),
        "the job was sent with the operator's token"
    );
    what_status_tells(&scene.api::<MLRun>().get(&name).await?)?;
    scene.check_contract()?;
    operator.stop()
}

/// The phase, each step with its times, and the address in Studio. Azure tells no place of a pipeline job's outputs.
fn what_status_tells(run: &MLRun) -> Result<()> {
    let status = run.status.clone().context("no status")?;
    assert_eq!(status.phase, Some(Phase::Succeeded));
    let steps: Vec<(&str, Phase)> =
        status.steps.iter().map(|step| (step.name.as_str(), step.phase)).collect();
    assert_eq!(steps, [("prepare", Phase::Succeeded), ("train", Phase::Succeeded)]);
    ensure!(
        status.steps.iter().all(|step| step.duration_seconds.is_some() && step.finished_at.is_some()),
        "{:?}",
        status.steps
    );
    ensure!(
        status
            .studio_url
            .as_deref()
            .is_some_and(|url| url.contains(&format!("r-{}", run.uid().unwrap_or_default()))),
        "{:?}",
        status.studio_url
    );
    ensure!(status.outputs.is_empty() && status.duration_seconds.is_some(), "{:?}", status.outputs);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_says_which_step_failed_and_why() -> Result<()> {
    let (scene, operator) = told("fail").await?;
    let failure = json!({"when": "outcome", "match": {"path": "/jobs/.*/train"}, "do": {"fail": {"code": "UserError", "message": "Error in gbm(): n.trees must be positive"}}});
    scene.azure.fault(failure).map_err(anyhow::Error::msg)?;
    let printed = scene.kubectl(&["create", "-f", "examples/runs/r-gbm.yaml", "-o", "name"]).await?;
    let name = printed.trim().rsplit('/').next().unwrap_or_default().to_owned();
    scene
        .kubectl(&["wait", &format!("mlrun/{name}"), "--for=condition=Succeeded=False", "--timeout=60s"])
        .await?;
    let run = scene.api::<MLRun>().get(&name).await?.status.context("no status")?;
    let failure = run.failure.context("no failure")?;
    assert_eq!(failure.step.as_deref(), Some("train"));
    ensure!(failure.message.contains("n.trees must be positive"), "{failure:?}");
    let stalled = run.common.conditions.iter().find(|condition| condition.type_ == "Stalled");
    let stalled = stalled.filter(|condition| condition.status == "True").context("it is not Stalled")?;
    scene.told(&format!("MLRun/{name}"), &stalled.reason, "n.trees must be positive").await?;
    operator.stop()
}
