//! The check to its end, and the refusals before its beginning.

use crate::replay;
use crate::stage::{CLIENT, GROUP, SUBSCRIPTION, Stage, TENANT, WORKSPACE};
use anyhow::{Result, ensure};
use azureml_live::assumptions;
use azureml_live::recording;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_check_answers_every_question_records_and_leaves_nothing() -> Result<()> {
    let stage = Stage::set().await?;
    let file = stage.file("live.jsonl");
    let record = file.to_string_lossy().into_owned();
    let (status, said) = stage.run(&["--yes", "--record", &record], "").await?;
    ensure!(status.success(), "{said}");
    stage.nothing_is_left()?;
    for part in ["At most: 1 node x", "the workspace is in westeurope", "MLRun once: Succeeded", "removed "] {
        ensure!(said.contains(part), "{part:?} is not in:\n{said}");
    }
    // The simulator does what we assume; what it cannot show, it cannot. Whether a look meets a step that is being prepared
    // is a matter of time.
    let unseen = said.lines().filter(|line| line.ends_with("(could not be seen)"));
    let unseen: Vec<&str> = unseen.filter_map(|line| line.trim().split(':').next()).collect();
    let never = ["provider-limits", "schedule-count", "upload-without-keys", "arm-throttling"];
    let is_known = |id: &&str| never.contains(id) || *id == "step-start";
    ensure!(
        never.iter().all(|id| unseen.contains(id)) && unseen.iter().all(is_known),
        "{unseen:?} in\n{said}"
    );
    let seen = assumptions::count() - unseen.len();
    let sum = format!("answers: {seen} as assumed, 0 differ, {} could not be seen", unseen.len());
    ensure!(said.contains(&sum), "{sum} is not in:\n{said}");
    ensure!(!said.contains("the check ended before"), "{said}");
    let text = std::fs::read_to_string(file)?;
    if std::env::var_os("UPDATE").is_some() {
        // Taken anew, where the simulator has learned what Azure answers.
        let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/simulated.jsonl");
        std::fs::write(kept, &text)?;
    }
    let (header, entries) = recording::read(&text)?;
    ensure!(header.answers.len() == assumptions::count(), "{header:?}");
    ensure!(
        entries.iter().any(|entry| entry.by == "check") && entries.iter().any(|entry| entry.by == "operator")
    );
    for secret in [SUBSCRIPTION, TENANT, CLIENT, GROUP, WORKSPACE, "mlwconfidential", "eyJ", "not-a-secret"] {
        ensure!(!text.contains(secret), "{secret} is in the recording");
    }
    let differences = replay::differences(&text).await?;
    ensure!(differences.is_empty(), "the simulator does not do twice the same:\n{}", differences.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_word_of_its_user_nothing_is_sent() -> Result<()> {
    let stage = Stage::set().await?;
    for word in ["", "yes\n", "mlw-other\n"] {
        let (status, said) = stage.run(&[], word).await?;
        ensure!(!status.success() && said.contains("not confirmed; nothing was made"), "{word:?}: {said}");
        ensure!(said.contains("At most: 1 node x 0.1 h x 0.50"), "{said}");
    }
    ensure!(stage.azure.requests().is_empty(), "{:?}", stage.writes());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_the_workspace_is_told_before_anything_is_made() -> Result<()> {
    let stage = Stage::set().await?;
    let (status, said) = stage.run(&["--yes", "--location", "North Europe"], "").await?;
    ensure!(
        !status.success() && said.contains("westeurope, not in North Europe; nothing was made"),
        "{said}"
    );
    let refuse =
        json!({"match": {"path": "/workspaces/"}, "do": {"status": 403, "code": "AuthorizationFailed"}});
    stage.azure.fault(refuse).map_err(anyhow::Error::msg)?;
    // Typed in full, as asked.
    let (status, said) = stage.run(&[], &format!("{WORKSPACE}\n")).await?;
    ensure!(
        !status.success()
            && said.contains("403 AuthorizationFailed")
            && said.contains("AzureML Data Scientist"),
        "{said}"
    );
    ensure!(stage.writes().is_empty(), "{:?}", stage.writes());
    Ok(())
}
