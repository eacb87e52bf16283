//! Images: a build that is looked at until it fails, and is never begun again without being asked for; a tag that moves.

use super::*;

const BUILT: &str = "workspaceRef: {name: team-a}, build: {dockerfile: \"FROM r-base:4.4\\nRUN true\\n\"}";

#[tokio::test(start_paused = true)]
async fn a_build_that_fails_says_the_end_of_its_log_and_waits_to_be_asked_for() -> Result<()> {
    let stage = Stage::set().await?;
    let fails = json!({"fail": {"code": "RunFailed", "message": "package 'gbm' is not available"}});
    let fails = stage.fault(json!({"match": {"path": "taskRuns/"}, "when": "outcome", "do": fails}))?;
    stage.apply(&manifest("MLEnvironment", "image", BUILT));
    let failed = stage.says("MLEnvironment", "image", "BuildFailed").await?;
    let message = kubernetes::condition(&failed, "Ready")["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("package 'gbm' is not available"), "{failed}");
    let tail = failed["status"]["build"]["tail"].as_array().cloned().unwrap_or_default();
    assert!(tail.contains(&json!("package 'gbm' is not available")), "{failed}");
    let looks: Vec<u64> = stage.times("GET taskRuns/", 6).await?.iter().map(Duration::as_secs).collect();
    assert_eq!(looks, [0, 2, 4, 8, 16, 31], "{}", stage.journal.shown());
    // The reason may have gone meanwhile, but a build costs money and its content is the same.
    assert!(stage.azure.release(&fails, false), "there is no such fault");
    stage.pass(Duration::from_hours(6)).await;
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 1, "{}", stage.journal.shown());
    stage.ask("MLEnvironment", "image", "again");
    stage.ready("MLEnvironment", "image").await?;
    assert_eq!(stage.journal.of("PUT taskRuns/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_moves_is_followed_on_request_alone_and_the_pipeline_follows_at_once() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    let from = stage.journal.end();
    stage.control("images", &json!({"image": "ghcr.io/team/image:1", "do": "move"})).await?;
    stage.pass(Duration::from_hours(6)).await;
    assert_eq!(stage.journal.writes(from), [""; 0], "{}", stage.journal.shown());
    stage.ask("MLEnvironment", "image", "now");
    stage.times("PUT components/", 4).await?;
    stage.ready("MLPipeline", "p").await?;
    let writes = stage.journal.writes(from);
    let place = |what: &str| writes.iter().position(|line| line.starts_with(what));
    let order = [
        "PUT environments/",
        "status MLEnvironment/image Succeeded",
        "PUT components/team_a_p_611f19b1_only/",
        "PUT components/team_a_p_611f19b1/",
        "status MLPipeline/p Succeeded",
    ]
    .map(place);
    assert!(order.is_sorted() && order.iter().all(Option::is_some), "{writes:?}");
    let versions = stage.journal.of("PUT environments/").len();
    assert_eq!(versions, 2, "each is put once: {}", stage.journal.shown());
    let (environment, component) =
        (stage.journal.of("status MLEnvironment/image Succeeded"), stage.journal.of("PUT components/"));
    let after = component[2].at.saturating_sub(environment.last().map(|line| line.at).unwrap_or_default());
    assert!(after < Duration::from_secs(1), "{after:?}: {}", stage.journal.shown());
    Ok(())
}
