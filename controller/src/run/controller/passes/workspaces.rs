//! The workspace: what it keeps, and a process that begins.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_new_process_reads_once_and_changes_nothing() -> Result<()> {
    let mut stage = Stage::set().await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    // The next comparison is far away.
    stage.times("GET computes", 3).await?;
    stage.pass(Duration::from_mins(1)).await;
    let from = stage.journal.end();
    stage.start().await?;
    stage.pass(Duration::from_mins(5)).await;
    assert_eq!(stage.journal.writes(from), [""; 0], "{}", stage.journal.shown());
    let mut reads = stage.journal.azure(from);
    reads.retain(|what| what.starts_with("GET"));
    let count = reads.len();
    reads.sort_unstable();
    reads.dedup();
    assert_eq!(reads.len(), count, "something is read twice: {}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_workspace_goes_after_everything_that_is_in_it() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    let from = stage.journal.end();
    for (kind, name) in
        [("MLWorkspace", "team-a"), ("MLEnvironment", "image"), ("MLCompute", "cpu"), ("MLPipeline", "p")]
    {
        stage.delete(kind, name);
    }
    stage.gone("MLWorkspace", "team-a").await?;
    let writes = stage.journal.writes(from);
    assert_eq!(writes.last().map(String::as_str), Some("patch MLWorkspace/team-a"), "{writes:?}");
    assert!(writes.iter().any(|what| what == "status MLWorkspace/team-a InUse"), "{writes:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_missing_is_looked_for_after_delays_that_double() -> Result<()> {
    let stage = Stage::set().await?;
    stage.delete("Secret", "sp");
    stage.says("MLWorkspace", "team-a", "SecretNotFound").await?;
    let told = stage.times("status MLWorkspace/team-a SecretNotFound", 5).await?;
    for (gap, delay) in gaps(&told).into_iter().zip([15.0, 30.0, 60.0, 120.0]) {
        assert!((delay..=delay * 1.2).contains(&gap), "{gap} for {delay}: {}", stage.journal.shown());
    }
    let from = stage.journal.end();
    stage.apply(&secret());
    let ready = stage.ready("MLWorkspace", "team-a").await?;
    assert!(ready["status"]["lastFailure"].is_null(), "{ready}");
    assert_eq!(stage.journal.writes(from), ["status MLWorkspace/team-a Succeeded"]);
    Ok(())
}
