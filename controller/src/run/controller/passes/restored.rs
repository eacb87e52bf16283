//! Runs that a backup brings back: they have the job that they had, and never another.

use super::runs::with_pipeline;
use super::*;
use azureml_crds::JOB;

const RUN: &str = "pipelineRef: {name: p}";

/// The cluster is lost, and a new process finds in its place what a backup has.
async fn restore(stage: &mut Stage, name: &str) -> Result<()> {
    stage.work = JoinSet::new();
    let saved = stage.kubernetes.lose("MLRun", NAMESPACE, name);
    ensure!(stage.get("MLRun", name).is_null(), "it is still there");
    stage.kubernetes.apply(&saved, NAMESPACE);
    stage.start().await
}

/// What tells one run from another: its UID, its job and its end.
fn told(run: &Value) -> [&Value; 3] {
    [&run["metadata"]["uid"], &run["status"]["jobName"], &run["status"]["finishedAt"]]
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_restored_follows_its_job_and_makes_no_other() -> Result<()> {
    let mut stage = with_pipeline(Duration::from_mins(10)).await?;
    stage.apply(&manifest("MLRun", "one", RUN));
    let before = stage.says("MLRun", "one", "Submitted").await?;
    restore(&mut stage, "one").await?;
    let after = stage.says("MLRun", "one", "Completed").await?;
    let ([uid, job, _], [old, same, _]) = (told(&after), told(&before));
    assert!(uid != old && job == same, "{after}");
    let (phase, pipeline) = (&after["status"]["phase"], &after["status"]["pipeline"]);
    assert!(phase == "Succeeded" && *pipeline == before["status"]["pipeline"], "{after}");
    // The second time the job had ended long before.
    restore(&mut stage, "one").await?;
    let again = stage.says("MLRun", "one", "Completed").await?;
    assert_eq!(told(&again)[1..], told(&after)[1..], "{again}");
    assert_eq!(stage.journal.of("PUT jobs/").len(), 1, "{}", stage.journal.shown());
    // Deleted and applied again as it was written, it is another run.
    stage.delete("MLRun", "one");
    stage.gone("MLRun", "one").await?;
    stage.apply(&manifest("MLRun", "one", RUN));
    let anew = stage.says("MLRun", "one", "Completed").await?;
    assert!(told(&anew)[1] != job, "{anew}");
    assert_eq!(stage.journal.of("PUT jobs/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_annotation_was_lost_has_it_again_also_after_its_end() -> Result<()> {
    let mut stage = with_pipeline(Duration::from_mins(1)).await?;
    stage.apply(&manifest("MLRun", "one", RUN));
    let run = stage.says("MLRun", "one", "Completed").await?;
    let written = run["metadata"]["annotations"][JOB].clone();
    assert_eq!(written, format!("{NAMESPACE}/one/{}", run["status"]["jobName"].as_str().unwrap_or_default()));
    let mut bare = run;
    bare["metadata"]["annotations"][JOB] = Value::Null;
    stage.kubernetes.apply(&bare, NAMESPACE);
    stage.start().await?;
    let is_back =
        |_: &[Line]| (stage.get("MLRun", "one")["metadata"]["annotations"][JOB] == written).then_some(());
    stage.journal.until("the annotation is back", is_back).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_copy_under_another_name_is_a_run_of_its_own() -> Result<()> {
    let stage = with_pipeline(Duration::from_mins(1)).await?;
    stage.apply(&manifest("MLRun", "one", RUN));
    let one = stage.says("MLRun", "one", "Completed").await?;
    let copy = json!({"apiVersion": one["apiVersion"], "kind": "MLRun", "spec": one["spec"],
        "metadata": {"name": "two", "annotations": one["metadata"]["annotations"]}});
    stage.kubernetes.apply(&copy, NAMESPACE);
    let two = stage.says("MLRun", "two", "Completed").await?;
    assert!(told(&two)[1] != told(&one)[1], "{two}");
    let mark = format!("{NAMESPACE}/two/{}", two["status"]["jobName"].as_str().unwrap_or_default());
    assert_eq!(two["metadata"]["annotations"][JOB], mark);
    assert_eq!(stage.journal.of("PUT jobs/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_job_of_another_object_is_neither_shown_nor_cancelled() -> Result<()> {
    let stage = with_pipeline(Duration::from_hours(1)).await?;
    stage.apply(&manifest("MLRun", "one", RUN));
    let one = stage.says("MLRun", "one", "Submitted").await?;
    let job = one["status"]["jobName"].as_str().unwrap_or_default();
    let mut forged: Value = serde_saphyr::from_str(manifest("MLRun", "two", RUN).trim_end_matches("---\n"))?;
    forged["metadata"]["annotations"] = json!({JOB: format!("{NAMESPACE}/two/{job}")});
    stage.kubernetes.apply(&forged, NAMESPACE);
    let two = stage.says("MLRun", "two", "OwnedByAnother").await?;
    let status = &two["status"];
    assert!(
        status["jobName"].is_null() && status["studioUrl"].is_null() && status["azureId"].is_null(),
        "{two}"
    );
    // A status that says the same is believed no more.
    forged["status"] =
        json!({"jobName": job, "azureId": one["status"]["azureId"], "workspaceRef": {"name": "team-a"}});
    stage.kubernetes.apply(&forged, NAMESPACE);
    stage.delete("MLRun", "two");
    stage.gone("MLRun", "two").await?;
    assert!(stage.journal.of("POST jobs/").is_empty(), "{}", stage.journal.shown());
    // Without the annotation it has a job of its own.
    forged["metadata"]["annotations"] = json!({});
    forged["status"] = Value::Null;
    stage.kubernetes.apply(&forged, NAMESPACE);
    let two = stage.says("MLRun", "two", "Submitted").await?;
    assert!(two["status"]["jobName"].is_string() && two["status"]["jobName"] != job, "{two}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_restored_without_its_job_makes_none() -> Result<()> {
    let mut stage = with_pipeline(Duration::from_mins(1)).await?;
    stage.apply(&manifest("MLRun", "one", RUN));
    stage.says("MLRun", "one", "Completed").await?;
    stage.fault(json!({"match": {"method": "GET", "path": "/jobs/r-"}, "do": {"status": 404, "code": "ResourceNotFound"}}))?;
    restore(&mut stage, "one").await?;
    let run = stage.says("MLRun", "one", "JobGone").await?;
    assert_eq!(run["status"]["failure"]["code"], "JobGone", "{run}");
    stage.pass(Duration::from_hours(1)).await;
    assert_eq!(stage.journal.of("PUT jobs/").len(), 1, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn jobs_that_were_made_after_a_failure_are_found_again_and_no_more_are_made() -> Result<()> {
    let mut stage = with_pipeline(Duration::from_mins(1)).await?;
    let preempted = json!({"match": {"path": "/jobs/.*/only"}, "when": "outcome", "times": 2,
        "do": {"fail": {"code": "SystemError", "message": "the node was preempted"}}});
    stage.fault(preempted)?;
    let spec = "pipelineRef: {name: p}, forceRerun: true, retry: {attempts: 2}";
    stage.apply(&manifest("MLRun", "one", spec));
    let before = stage.says("MLRun", "one", "Failed").await?;
    let end = |run: &Value| ["jobName", "attempts", "failure", "phase"].map(|key| run["status"][key].clone());
    restore(&mut stage, "one").await?;
    let after = stage.says("MLRun", "one", "Failed").await?;
    assert_eq!(end(&after), end(&before));
    assert_eq!(stage.journal.of("PUT jobs/").len(), 2, "{}", stage.journal.shown());
    // Where more are allowed than were made, none is made either.
    let mut more = stage.get("MLRun", "one");
    more["spec"]["retry"]["attempts"] = json!(3);
    stage.kubernetes.apply(&more, NAMESPACE);
    restore(&mut stage, "one").await?;
    let after = stage.says("MLRun", "one", "Failed").await?;
    assert_eq!(end(&after), end(&before));
    stage.pass(Duration::from_hours(1)).await;
    assert_eq!(stage.journal.of("PUT jobs/").len(), 2, "{}", stage.journal.shown());
    Ok(())
}
