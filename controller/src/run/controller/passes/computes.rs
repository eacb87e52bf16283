//! Clusters: looks that slow down, Azure's refusals and how long they hold, drift, deletion, a lease that is lost.

use super::*;

fn compute(name: &str, more: &str) -> String {
    let spec = format!(
        "workspaceRef: {{name: team-a}}, azureName: {name}, vmSize: Standard_DS3_v2, scale: {{max: 4}}{more}"
    );
    manifest("MLCompute", name, &spec)
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_looked_at_less_and_less_often_and_applied_once_azure_has_it() -> Result<()> {
    let stage = Stage::set().await?;
    let from = stage.journal.end();
    stage.apply(&compute("cpu", ""));
    stage.ready("MLCompute", "cpu").await?;
    let creating = "status MLCompute/cpu Creating";
    let order = ["patch MLCompute/cpu", "PUT computes/cpu", creating, "status MLCompute/cpu Succeeded"];
    assert_eq!(stage.journal.writes(from), order, "{}", stage.journal.shown());
    let looks: Vec<u64> = stage.times("GET computes/cpu", 6).await?.iter().map(Duration::as_secs).collect();
    assert_eq!(looks, [0, 2, 4, 8, 16, 31], "{}", stage.journal.shown());
    for (status, is_applied) in [(creating, false), ("status MLCompute/cpu Succeeded", true)] {
        let written = stage.journal.of(status);
        assert!(written.iter().all(|line| line.body["appliedHash"].is_string() == is_applied), "{written:?}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn who_asked_too_often_is_silent_for_as_long_as_azure_asks_and_its_namespace_with_it() -> Result<()> {
    let stage = Stage::set().await?;
    let asks = json!({"status": 429, "headers": {"retry-after": "37"}});
    stage.fault(json!({"match": {"method": "PUT", "path": "/computes/"}, "do": asks, "times": 1}))?;
    stage.apply(&compute("cpu", ""));
    stage.says("MLCompute", "cpu", "TooManyRequests").await?;
    let refused = stage.journal.elapsed();
    stage.pass(Duration::from_secs(5)).await;
    stage.apply(&compute("gpu", ""));
    stage.ready("MLCompute", "gpu").await?;
    let other = stage.times("PUT computes/gpu", 1).await?[0].saturating_sub(refused);
    assert_eq!(other, Duration::from_secs(37), "{}", stage.journal.shown());
    stage.ready("MLCompute", "cpu").await?;
    let puts = stage.times("PUT computes/cpu", 2).await?;
    let again = puts[1].saturating_sub(refused);
    assert!(puts.len() == 2 && (37.0..45.0).contains(&again.as_secs_f64()), "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_after_delays_that_double_and_is_forgotten_afterwards() -> Result<()> {
    let stage = Stage::set().await?;
    stage.fault(
        json!({"match": {"method": "PUT", "path": "/computes/"}, "do": {"status": 500}, "times": 4}),
    )?;
    stage.apply(&compute("cpu", ""));
    let ready = stage.ready("MLCompute", "cpu").await?;
    assert!(ready["status"]["lastFailure"].is_null(), "{ready}");
    let puts = stage.times("PUT computes/cpu", 5).await?;
    for (gap, delay) in gaps(&puts).into_iter().zip([15.0, 30.0, 60.0, 120.0]) {
        // Up to a fifth more, so that not all come at once; and the answers of a PUT and of the look before it.
        assert!((delay..=delay * 1.2 + 1.2).contains(&gap), "{gap} for {delay}: {}", stage.journal.shown());
    }
    let counts: Vec<i64> = stage
        .journal
        .of("status MLCompute/cpu InternalServerError")
        .iter()
        .filter_map(|line| line.body["lastFailure"]["count"].as_i64())
        .collect();
    assert_eq!(counts, [1, 2, 3, 4]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changed_is_found_by_one_list_for_all_at_the_next_comparison() -> Result<()> {
    let stage = Stage::set().await?;
    let names = ["a", "b", "c", "d", "e"].map(|name| format!("cpu-{name}"));
    stage.apply(&names.each_ref().map(|name| compute(name, ", driftPolicy: Correct")).concat());
    for name in &names {
        stage.ready("MLCompute", name).await?;
    }
    let more = json!({"properties": {"properties": {"scaleSettings": {"maxNodeCount": 9}}}});
    stage.portal("computes", "cpu-c", &more).await?;
    let (from, since) = (stage.journal.end(), stage.journal.elapsed());
    let patched = stage.times("PATCH computes/cpu-c", 1).await?[0].saturating_sub(since);
    assert!(patched <= Duration::from_mins(10) + Duration::from_secs(1), "{patched:?}");
    stage.ready("MLCompute", "cpu-c").await?;
    stage.pass(Duration::from_mins(9)).await;
    let azure = stage.journal.azure(from);
    let lists = azure.iter().filter(|what| *what == "GET computes").count();
    assert_eq!(lists, 1, "{azure:?}");
    let is_read = |what: &str| ["GET", "HEAD"].iter().any(|read| what.starts_with(read));
    let writes: Vec<&String> = azure.iter().filter(|what| !is_read(what)).collect();
    assert_eq!(writes, ["PATCH computes/cpu-c"], "{azure:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_a_pipeline_needs_is_deleted_after_it_and_the_finalizer_goes_last() -> Result<()> {
    let stage = Stage::set().await?;
    stage.apply(&(compute("cpu", ", deletionPolicy: Delete") + &pipelines::pipeline("p", "")));
    stage.ready("MLPipeline", "p").await?;
    stage.delete("MLCompute", "cpu");
    stage.says("MLCompute", "cpu", "InUse").await?;
    stage.pass(Duration::from_hours(2)).await;
    assert_eq!(stage.journal.of("DELETE").len(), 0, "{}", stage.journal.shown());
    let from = stage.journal.end();
    stage.delete("MLPipeline", "p");
    stage.gone("MLPipeline", "p").await?;
    stage.gone("MLCompute", "cpu").await?;
    let order = stage.journal.writes(from);
    let place = |what: &str| order.iter().position(|line| line == what);
    let steps = ["patch MLPipeline/p", "DELETE computes/cpu", "patch MLCompute/cpu"].map(place);
    assert!(steps.is_sorted() && steps.iter().all(Option::is_some), "{order:?}");
    assert_eq!(order.last().map(String::as_str), Some("patch MLCompute/cpu"));
    // The pipeline's end wakes the cluster: nothing waits for the next slow look.
    let (gone, deleted) =
        (stage.times("patch MLPipeline/p", 2).await?[1], stage.times("DELETE computes/cpu", 1).await?[0]);
    assert!(deleted.saturating_sub(gone) < Duration::from_secs(1), "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn who_loses_the_lease_between_a_read_and_a_write_sends_and_says_nothing() -> Result<()> {
    let stage = Stage::set().await?;
    let held = stage.fault(json!({"match": {"method": "GET", "path": "/computes/"}, "do": "hold"}))?;
    let from = stage.journal.end();
    stage.apply(&compute("cpu", ""));
    stage.times("GET computes/cpu", 1).await?;
    stage.leads.store(false, Ordering::Relaxed);
    assert!(stage.azure.release(&held, false), "nothing was held");
    stage.pass(Duration::from_hours(3)).await;
    assert_eq!(stage.journal.writes(from), ["patch MLCompute/cpu"], "{}", stage.journal.shown());
    assert_eq!(stage.journal.of("GET computes/cpu").len(), 1, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_changes_while_azure_answers_is_the_next_pass_and_nothing_is_sent_twice() -> Result<()> {
    let stage = Stage::set().await?;
    let from = stage.journal.end();
    stage.apply(&compute("cpu", ""));
    stage.times("PUT computes/cpu", 1).await?;
    stage.apply(&compute("cpu", ", tags: {team: a}"));
    stage.ready("MLCompute", "cpu").await?;
    let order = stage.journal.writes(from);
    let [put, creating, succeeded] =
        ["PUT computes/cpu", "status MLCompute/cpu Creating", "status MLCompute/cpu Succeeded"];
    let [conflict, updating] = ["conflict MLCompute/cpu", "status MLCompute/cpu Updating"];
    let wanted = ["patch MLCompute/cpu", put, conflict, creating, put, updating, creating, succeeded];
    assert_eq!(order, wanted, "{}", stage.journal.shown());
    let tags: Vec<bool> = stage.journal.of(put).iter().map(|line| line.body["tags"]["team"] == "a").collect();
    assert_eq!(tags, [false, true]);
    // What is refused by Kubernetes is done again at once, since the change itself wakes the pass.
    let refused = stage.journal.of(conflict)[0].at;
    assert!(stage.journal.of("GET computes/cpu").iter().any(|look| look.at == refused));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_quota_is_tried_again_once_an_hour() -> Result<()> {
    let stage = Stage::set().await?;
    let fails = json!({"fail": {"code": "ClusterCoreQuotaReached", "message": "10 vCPUs are the most"}});
    stage.fault(json!({"match": {"path": "/computes/"}, "when": "outcome", "do": fails, "times": 2}))?;
    stage.apply(&compute("cpu", ""));
    let failed = stage.says("MLCompute", "cpu", "QuotaExceeded").await?;
    let message =
        kubernetes::condition(&failed, "Stalled")["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("10 vCPUs are the most"), "{failed}");
    stage.ready("MLCompute", "cpu").await?;
    let puts = stage.times("PUT computes/cpu", 3).await?;
    for gap in gaps(&puts) {
        // The cluster fails after 20 s, which is seen at the look after that.
        assert!((3_600.0..3_640.0).contains(&gap), "{gap}: {}", stage.journal.shown());
    }
    Ok(())
}
