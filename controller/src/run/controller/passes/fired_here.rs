//! Schedules that this controller fires: one MLRun for each firing time, whatever becomes of the process, and as many at once as the
//! policy allows.

use super::*;
use jiff::{SignedDuration, Timestamp};

/// A stage with a pipeline whose step takes so long, and a schedule.
async fn with_schedule(step: Duration, spec: &str) -> Result<Stage> {
    let mut options = usual();
    options.times.step = step;
    let stage = Stage::with(options, GRANTS).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    stage.apply(&manifest(
        "MLSchedule",
        "s",
        &format!("pipelineRef: {{name: p}}, engine: Controller, {spec}"),
    ));
    stage.ready("MLSchedule", "s").await?;
    Ok(stage)
}

/// The moment so many minutes after the last full hour.
fn minute(minutes: i64) -> Timestamp {
    let now = clock::now().as_second();
    Timestamp::from_second(now - now.rem_euclid(3600) + 60 * minutes).unwrap_or_default()
}

/// The name of the run for a moment.
fn run(at: Timestamp) -> String {
    format!("s-{}", at.strftime("%Y%m%d-%H%M"))
}

fn created(stage: &Stage) -> Vec<String> {
    let lines = stage.journal.of("create MLRun/").into_iter();
    lines.map(|line| line.what.trim_start_matches("create MLRun/").to_owned()).collect()
}

impl Stage {
    /// The process ends without a word.
    fn kill(&mut self) {
        self.work = JoinSet::new();
    }

    /// Lets time pass until a moment.
    async fn pass_until(&self, at: Timestamp) {
        let rest = at.duration_since(clock::now());
        if rest.is_positive() {
            self.pass(rest.unsigned_abs()).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_made_at_each_time_with_its_inputs_and_nothing_is_sent_to_azure_for_the_schedule()
-> Result<()> {
    let inputs = "inputs: {trees: 7}, experiment: nightly, timeZone: America/Vancouver, crons: ['10 * * * *', '40 * * * *', '10 * * * *']";
    let stage = with_schedule(Duration::from_mins(1), inputs).await?;
    let first = minute(10);
    assert_eq!(created(&stage), [""; 0], "nothing fires because it was made");
    stage.pass_until(minute(75)).await;
    let wanted =
        [first, first + SignedDuration::from_mins(30), first + SignedDuration::from_mins(60)].map(run);
    assert_eq!(created(&stage), wanted, "{}", stage.journal.shown());
    let made = &stage.journal.of("create MLRun/")[0];
    let spec = json!({"pipelineRef": {"name": "p"}, "inputs": {"trees": 7}, "experiment": "nightly"});
    assert_eq!(made.body["spec"], spec);
    let owner = &made.body["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["name"], &owner["controller"]),
        (&json!("MLSchedule"), &json!("s"), &json!(true))
    );
    assert_eq!(made.body["metadata"]["labels"]["azureml.dev/schedule"], "s");
    assert_eq!(stage.says("MLRun", &wanted[1], "Completed").await?["status"]["phase"], "Succeeded");
    assert_eq!(stage.journal.of("PUT jobs/").len(), 3);
    let azure = stage.journal.azure(0);
    assert!(azure.iter().all(|asked| !asked.contains("schedules")), "{azure:?}");
    let status = &stage.get("MLSchedule", "s")["status"];
    let (next, fired) = (status["next"][0].as_str().unwrap_or_default(), status["lastFiredAt"].as_str());
    assert_eq!(next.parse::<Timestamp>()?, first + SignedDuration::from_mins(90), "{status}");
    assert_eq!(fired.unwrap_or_default().parse::<Timestamp>()?, first + SignedDuration::from_mins(60));
    assert!(status["azureId"].is_null() && status["timeZone"] == "America/Vancouver", "{status}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_killed_at_any_step_leaves_one_run_for_each_time() -> Result<()> {
    for step in
        ["before", "create MLRun/", "status MLSchedule/s", "patch MLRun/", "status MLRun/", "PUT jobs/"]
    {
        let mut stage = with_schedule(Duration::from_mins(1), "cron: '10 * * * *'").await?;
        let at = minute(10);
        stage.pass_until(at - SignedDuration::from_millis(10)).await;
        let before = stage.journal.of(step).len();
        if step != "before" {
            stage.times(step, before + 1).await?;
        }
        stage.kill();
        if step == "before" {
            stage.pass_until(at + SignedDuration::from_mins(2)).await;
        }
        stage.start().await?;
        stage.says("MLRun", &run(at), "Completed").await.with_context(|| step.to_owned())?;
        stage.pass(Duration::from_mins(20)).await;
        assert_eq!(created(&stage), [run(at)], "{step}: {}", stage.journal.shown());
        assert_eq!(
            stage.journal.of("PUT jobs/").iter().filter(|put| put.status == Some(201)).count(),
            1,
            "{step}"
        );
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_made_up_for_once_and_a_longer_one_is_told() -> Result<()> {
    let mut stage = with_schedule(Duration::from_mins(1), "cron: '*/10 * * * *'").await?;
    let first = minute(10);
    stage.pass_until(first + SignedDuration::from_mins(1)).await;
    stage.kill();
    stage.pass(Duration::from_mins(25)).await;
    stage.start().await?;
    stage.pass(Duration::from_mins(2)).await;
    let wanted = [first, first + SignedDuration::from_mins(20)].map(run);
    assert_eq!(created(&stage), wanted, "the last of two: {}", stage.journal.shown());
    assert_eq!(stage.journal.of("event s StartingDeadlinePassed").len(), 0);
    stage.kill();
    stage.pass(Duration::from_hours(3)).await;
    stage.start().await?;
    stage.times("event s StartingDeadlinePassed", 1).await?;
    stage.pass(Duration::from_mins(25)).await;
    assert_eq!(stage.journal.of("event s StartingDeadlinePassed").len(), 1, "{}", stage.journal.shown());
    let more = created(&stage).len() - wanted.len();
    assert!((3..=4).contains(&more), "one is made up for: {}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn one_run_at_a_time_waits_for_the_end_of_the_one_before() -> Result<()> {
    let spec = "cron: '*/10 * * * *', concurrencyPolicy: Forbid";
    let stage = with_schedule(Duration::from_mins(9), spec).await?;
    let first = minute(10);
    stage.pass_until(first + SignedDuration::from_mins(11)).await;
    assert_eq!(created(&stage), [run(first)]);
    let told = stage.get("MLSchedule", "s");
    let message = kubernetes::condition(&told, "Ready")["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains(&format!("waits for the end of MLRun {}", run(first))), "{message}");
    let second = stage.times("create MLRun/", 2).await?[1];
    let ended = stage.journal.of(&format!("status MLRun/{} Completed", run(first)))[0].at;
    assert!(second.saturating_sub(ended) < Duration::from_secs(2), "{}", stage.journal.shown());
    assert_eq!(created(&stage)[1], run(first + SignedDuration::from_mins(10)));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_replaced_is_cancelled_and_a_suspended_schedule_starts_none() -> Result<()> {
    let spec = "cron: '*/10 * * * *', concurrencyPolicy: Replace";
    let stage = with_schedule(Duration::from_hours(2), spec).await?;
    let first = minute(10);
    stage.pass_until(first + SignedDuration::from_mins(12)).await;
    assert_eq!(stage.says("MLRun", &run(first), "Canceled").await?["spec"]["cancel"], true);
    assert_eq!(created(&stage), [first, first + SignedDuration::from_mins(10)].map(run));
    let suspended = format!("pipelineRef: {{name: p}}, engine: Controller, suspend: true, {spec}");
    stage.apply(&manifest("MLSchedule", "s", &suspended));
    stage.pass(Duration::from_mins(35)).await;
    assert_eq!(created(&stage).len(), 2, "{}", stage.journal.shown());
    assert_eq!(stage.get("MLSchedule", "s")["status"]["next"], Value::Null);
    let goes_on = suspended.replace("suspend: true", "suspend: false");
    stage.apply(&manifest("MLSchedule", "s", &goes_on));
    stage.ready("MLSchedule", "s").await?;
    assert_eq!(created(&stage).len(), 2, "what passed meanwhile is no firing time");
    stage.times("create MLRun/", 3).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_short_history_is_kept_and_paused_schedules_and_pipelines_that_are_not_ready_start_nothing()
-> Result<()> {
    let spec = "cron: '*/10 * * * *', historyLimit: {successful: 2}";
    let stage = with_schedule(Duration::from_mins(1), spec).await?;
    let first = minute(10);
    stage.pass_until(first + SignedDuration::from_mins(55)).await;
    let kept: Vec<bool> = (0..6)
        .map(|number| !stage.get("MLRun", &run(first + SignedDuration::from_mins(10 * number))).is_null())
        .collect();
    assert_eq!(kept, [false, false, false, false, true, true], "{}", stage.journal.shown());
    let mut paused = stage.get("MLSchedule", "s");
    paused["metadata"]["annotations"][azureml_crds::PAUSED] = json!("true");
    stage.kubernetes.apply(&paused, NAMESPACE);
    stage.pass(Duration::from_mins(15)).await;
    assert_eq!(created(&stage).len(), 6, "{}", stage.journal.shown());
    paused["metadata"]["annotations"][azureml_crds::PAUSED] = json!("false");
    stage.kubernetes.apply(&paused, NAMESPACE);
    stage.times("create MLRun/", 7).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_name_that_somebody_else_took_is_said_and_is_no_firing() -> Result<()> {
    let stage = with_schedule(Duration::from_mins(1), "cron: '10 * * * *'").await?;
    let (first, second) = (minute(10), minute(70));
    let foreign = |at| manifest("MLRun", &run(at), "pipelineRef: {name: p}");
    stage.apply(&(foreign(first) + &foreign(second)));
    let said = stage.says("MLSchedule", "s", "RunNotMade").await?;
    let message = kubernetes::condition(&said, "Ready")["message"].as_str().unwrap_or_default();
    assert!(message.contains("made by somebody else") && message.contains(&run(first)), "{message}");
    assert!(said["status"]["lastFiredAt"].is_null() && said["status"]["lastRun"].is_null(), "{said}");
    // The name is free within the deadline, so the run is made.
    stage.delete("MLRun", &run(first));
    stage.gone("MLRun", &run(first)).await?;
    stage.times("create MLRun/", 1).await?;
    stage.ready("MLSchedule", "s").await?;
    assert_eq!(created(&stage), [run(first)]);
    // The other one stays: what was not fired is told once, and the next firing comes as ever.
    stage.pass_until(minute(125)).await;
    assert_eq!(created(&stage), [run(first)], "{}", stage.journal.shown());
    let told = stage.journal.of("event s StartingDeadlinePassed").len();
    let fired = stage.get("MLSchedule", "s")["status"]["lastFiredAt"].as_str().map(str::to_owned);
    assert_eq!((told, fired.as_deref().and_then(|at| at.parse().ok())), (1, Some(first)));
    stage.times("create MLRun/", 2).await?;
    assert_eq!(created(&stage), [first, minute(10)].map(run));
    Ok(())
}
