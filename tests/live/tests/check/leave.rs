//! However a check ends, nothing is left: after Ctrl-C, after a failure, and by the next one after a crash.

use crate::stage::Stage;
use anyhow::{Result, ensure};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_the_image_is_built_leaves_nothing() -> Result<()> {
    ends_by("INT", "PUT registries/taskRuns").await
}

#[tokio::test(flavor = "multi_thread")]
async fn being_told_to_stop_while_it_runs_leaves_nothing() -> Result<()> {
    ends_by("TERM", "PUT workspaces/jobs").await
}

async fn ends_by(signal: &str, at: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let program = stage.start(&["--yes"], "").await?;
    stage.received(at).await?;
    program.signal(signal)?;
    let (status, said) = program.ended().await?;
    ensure!(!status.success() && said.contains("interrupted\nending the story"), "{said}");
    stage.nothing_is_left()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_check_left_is_removed_by_clean_and_the_rest_is_not() -> Result<()> {
    let stage = Stage::set().await?;
    let program = stage.start(&["--yes"], "").await?;
    stage.received("PUT workspaces/batchEndpoints/deployments").await?;
    program.signal("KILL")?;
    let (status, said) = program.ended().await?;
    ensure!(!status.success() && !said.contains("things in Azure"), "{said}");
    ensure!(stage.nothing_is_left().is_err(), "there is nothing to be cleaned away");
    let (status, said) = stage.run(&["--clean", "--yes"], "").await?;
    ensure!(status.success() && said.contains("computes live-"), "{said}");
    stage.nothing_is_left()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_cleans_up_and_what_cannot_be_removed_is_said() -> Result<()> {
    let stage = Stage::set().await?;
    let fail = json!({"match": {"path": "/steps/"}, "when": "outcome", "do": {"fail": {"code": "UserError", "message": "out of luck"}}});
    stage.azure.fault(fail).map_err(anyhow::Error::msg)?;
    let refuse =
        json!({"id": "locked", "match": {"method": "DELETE", "path": "/v2/"}, "do": {"status": 403}});
    stage.azure.fault(refuse).map_err(anyhow::Error::msg)?;
    let (status, said) = stage.run(&["--yes"], "").await?;
    ensure!(!status.success() && said.contains("out of luck"), "{said}");
    ensure!(said.contains("could not be removed:\n  image azureml-operator/"), "{said}");
    ensure!(stage.nothing_is_left().is_err(), "the image is gone");
    ensure!(stage.azure.release("locked", false), "there is no such fault");
    let (status, said) = stage.run(&["--clean", "--yes"], "").await?;
    ensure!(
        status.success() && said.contains("image azureml-operator/") && said.contains("/live-"),
        "{said}"
    );
    stage.nothing_is_left()
}
