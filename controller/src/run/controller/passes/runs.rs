//! Runs: looks at a job, its end, an answer that is lost, and a run whose time is over.

use super::*;
use jiff::Timestamp;

/// A stage with a pipeline, on which steps take so long.
async fn with_pipeline(step: Duration) -> Result<Stage> {
    let mut options = usual();
    options.times.step = step;
    let stage = Stage::with(options, GRANTS).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    Ok(stage)
}

#[tokio::test(start_paused = true)]
async fn a_job_is_looked_at_once_a_minute_in_the_end_and_never_after_its_end() -> Result<()> {
    let stage = with_pipeline(Duration::from_mins(10)).await?;
    let from = stage.journal.end();
    stage.apply(&manifest("MLRun", "one", "pipelineRef: {name: p}, ttlAfterFinished: 1h"));
    let run = stage.says("MLRun", "one", "Completed").await?;
    let looks = stage.times("GET jobs/", 10).await?;
    let (first, later) = (gaps(&looks[2..6]), gaps(&looks[6..]));
    for (gap, delay) in first.into_iter().zip([10.0, 20.0, 40.0]) {
        // Looks are due at beats of half a second that all objects have in common.
        assert!((delay - 0.6..=delay + 0.6).contains(&gap), "{gap} for {delay}: {}", stage.journal.shown());
    }
    assert!(later.len() > 5 && later.iter().all(|gap| (59.9..60.1).contains(gap)), "{later:?}");
    let order = ["patch MLRun/one", "status MLRun/one Submitting", "PUT jobs/"];
    let writes = stage.journal.writes(from);
    assert!(writes.iter().zip(order).all(|(what, wanted)| what.starts_with(wanted)), "{writes:?}");
    let address = &stage.journal.of("status MLRun/one Submitting")[0].body;
    assert!(address["azureId"].is_string() && address["pipeline"].is_object(), "{address}");
    // It is removed an hour after the job ended, and not after that was seen.
    stage.gone("MLRun", "one").await?;
    assert_eq!(stage.journal.of("GET jobs/").len(), looks.len(), "{}", stage.journal.shown());
    let finished: Timestamp = run["status"]["finishedAt"].as_str().unwrap_or_default().parse()?;
    let kept = clock::now().duration_since(finished).as_secs_f64();
    assert!((3_600.0..3_601.0).contains(&kept), "{kept}: {run}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_answer_was_lost_is_not_sent_again() -> Result<()> {
    let stage = with_pipeline(Duration::from_mins(1)).await?;
    let from = stage.journal.end();
    stage.fault(
        json!({"match": {"method": "PUT", "path": "/jobs/"}, "when": "after", "do": "reset", "times": 1}),
    )?;
    stage.apply(&manifest("MLRun", "one", "pipelineRef: {name: p}"));
    stage.says("MLRun", "one", "Completed").await?;
    assert_eq!(stage.journal.of("PUT jobs/").len(), 1, "{}", stage.journal.shown());
    let told = ["Submitting", "AzureUnreachable", "Submitted", "Completed"]
        .map(|reason| format!("status MLRun/one {reason}"));
    let mut writes = stage.journal.writes(from);
    writes.retain(|what| what.starts_with("status MLRun"));
    writes.dedup();
    assert_eq!(writes, told, "{}", stage.journal.shown());
    Ok(())
}
