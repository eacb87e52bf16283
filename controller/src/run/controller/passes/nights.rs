//! Nights: what a schedule says of its runs, at which moments it looks, and how many requests that costs.

use super::*;
use axum::http::Version;

/// A stage with a schedule that fires at each full hour, on which steps take so long.
async fn hourly(step: Duration) -> Result<Stage> {
    let mut options = usual();
    options.times.step = step;
    let stage = Stage::with(options, GRANTS).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    stage.apply(&manifest("MLSchedule", "hourly", HOURLY));
    stage.ready("MLSchedule", "hourly").await?;
    Ok(stage)
}

const HOURLY: &str = "pipelineRef: {name: p}, cron: '0 * * * *'";

/// The step fails so often.
fn fails(stage: &Stage, times: u32) -> Result<()> {
    let failure = json!({"fail": {"code": "UserError", "message": "there is no package called caret"}});
    let fault = json!({"when": "outcome", "match": {"path": "/steps/only"}, "do": failure, "times": times});
    stage.fault(fault).map(drop)
}

impl Stage {
    /// Waits until so many runs of a schedule have ended, and gives its status.
    async fn nights(&self, name: &str, ended: usize) -> Result<Value> {
        let find = |_: &[Line]| {
            let status = self.get("MLSchedule", name)["status"].clone();
            let over = |run: &&Value| run["finishedAt"].is_string();
            let count = status["runs"].as_array()?.iter().filter(over).count();
            (count >= ended).then_some(status)
        };
        self.journal.until(&format!("{ended} runs of {name}"), find).await
    }

    /// Somebody calls Azure by studio: what follows the workspace.
    async fn studio(&self, method: &str, what: &str, body: &'static str) -> Result<()> {
        let endpoint = self.azure.endpoint();
        let tenant = "11111111-1111-1111-1111-111111111111";
        let form = format!(
            "grant_type=client_credentials&client_id=studio&client_secret=s&scope={endpoint}/.default"
        );
        let mut asked = Request::post(format!("{endpoint}/{tenant}/oauth2/v2.0/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))?;
        *asked.version_mut() = Version::HTTP_2;
        let token = self.azure.answer(asked).await.context("no token")?;
        let said = String::from_utf8_lossy(token.body()).into_owned();
        let token: Value = serde_json::from_str(&said).context(said)?;
        let token = token["access_token"].as_str().context("no token")?;
        let subscription = "00000000-0000-0000-0000-000000000001";
        let target = format!(
            "{endpoint}/subscriptions/{subscription}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/mlw-team-a/{what}"
        );
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body))?;
        *request.version_mut() = Version::HTTP_2;
        let answer = self.azure.answer(request).await.context("no answer")?;
        ensure!(answer.status().is_success(), "{} {:?}", answer.status(), answer.body());
        Ok(())
    }

    /// The name that a schedule has in Azure.
    fn azure_name(&self, name: &str) -> String {
        let schedule = self.get("MLSchedule", name);
        let id = schedule["status"]["azureId"].as_str().unwrap_or_default();
        id.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

fn condition(stage: &Stage) -> Value {
    kubernetes::condition(&stage.get("MLSchedule", "hourly"), "LastRunSucceeded").clone()
}

#[tokio::test(start_paused = true)]
async fn a_night_that_fails_is_told_with_its_step_and_the_next_good_one_clears_it() -> Result<()> {
    let stage = hourly(Duration::from_mins(5)).await?;
    fails(&stage, 1)?;
    let status = stage.nights("hourly", 1).await?;
    let failed = condition(&stage);
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("False"), &json!("RunFailed")), "{status}");
    let message = failed["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("step only of job") && message.ends_with("no package called caret"),
        "{message}"
    );
    let schedule = stage.get("MLSchedule", "hourly");
    assert_eq!(
        kubernetes::condition(&schedule, "Ready")["status"],
        "True",
        "the schedule itself is well: {status}"
    );
    assert!(status["lastSuccessAt"].is_null() && status["lastRun"]["failure"]["step"] == "only", "{status}");
    let history =
        |what: &str| stage.journal.of("GET ").iter().filter(|line| line.what.ends_with(what)).count();
    assert_eq!((history("/children"), history("/details")), (1, 0), "{}", stage.journal.shown());
    let status = stage.nights("hourly", 2).await?;
    assert_eq!(condition(&stage)["reason"], "RunSucceeded", "{status}");
    assert!(status["lastSuccessAt"].is_string(), "{status}");
    let seconds = status["lastRun"]["durationSeconds"].as_i64().unwrap_or_default();
    assert!((440..470).contains(&seconds), "{status}");
    stage.pass(Duration::from_mins(20)).await;
    for (reason, count) in [("RunFailed", 1), ("RunSucceeded", 1)] {
        let events = stage.journal.of(&format!("event hourly {reason}"));
        assert_eq!(events.len(), count, "{}", stage.journal.shown());
    }
    assert_eq!(history("/children"), 1, "a failure is read once");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_cause_that_could_not_be_read_at_first_is_read_later_and_told_then() -> Result<()> {
    let stage = hourly(Duration::from_mins(5)).await?;
    fails(&stage, 1)?;
    let asks = json!({"status": 429, "headers": {"retry-after": "20"}});
    stage.fault(json!({"match": {"path": "/children"}, "do": asks, "times": 3}))?;
    let status = stage.nights("hourly", 1).await?;
    assert_eq!(status["lastRun"]["failure"]["code"], "RunsUnread", "{status}");
    let (from, told) = (stage.journal.elapsed(), condition(&stage));
    assert_eq!(told["reason"], "RunFailed", "that it failed is told at once: {status}");
    let read = |_: &[Line]| {
        let failure = stage.get("MLSchedule", "hourly")["status"]["lastRun"]["failure"].clone();
        (failure["step"] == "only").then_some(failure)
    };
    let failure = stage.journal.until("the cause", read).await?;
    assert_eq!(failure["message"], "there is no package called caret", "{failure}");
    let waited = stage.journal.elapsed().saturating_sub(from);
    assert!(waited < Duration::from_mins(30), "{waited:?}: {}", stage.journal.shown());
    assert!(condition(&stage)["message"].as_str().is_some_and(|text| text.ends_with("called caret")));
    stage.pass(Duration::from_mins(2)).await;
    let events = stage.journal.of("event hourly RunFailed");
    assert_eq!(events.len(), 2, "once without the cause, once with it: {}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_is_fired_here_tells_its_runs_as_one_that_azure_fires() -> Result<()> {
    let mut options = usual();
    options.times.step = Duration::from_mins(5);
    let stage = Stage::with(options, GRANTS).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    stage.apply(&manifest("MLSchedule", "hourly", &format!("{HOURLY}, engine: Controller")));
    stage.ready("MLSchedule", "hourly").await?;
    fails(&stage, 1)?;
    let status = stage.nights("hourly", 1).await?;
    let failed = condition(&stage);
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("False"), &json!("RunFailed")), "{status}");
    let message = failed["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("step only of MLRun hourly-") && message.ends_with("no package called caret"),
        "{message}"
    );
    let (run, last) = (status["lastRun"]["run"].as_str().unwrap_or_default(), &status["lastRun"]);
    assert!(last["firedAt"].as_str().is_some_and(|fired| fired.ends_with(":00:00Z")), "{status}");
    assert_eq!(last["jobName"], stage.get("MLRun", run)["status"]["jobName"], "{status}");
    assert!(last["failure"]["step"] == "only" && last["studioUrl"].is_string(), "{status}");
    assert!(status["lastSuccessAt"].is_null(), "{status}");
    // What goes on is told, too, and the next good run clears the failure.
    let status = stage.nights("hourly", 2).await?;
    let told = stage.journal.of("status MLSchedule/hourly");
    assert!(told.iter().any(|line| line.body["lastRun"]["phase"] == "Running"), "{}", stage.journal.shown());
    assert_eq!(condition(&stage)["reason"], "RunSucceeded", "{status}");
    assert!(status["lastSuccessAt"].is_string() && status["lastRun"]["durationSeconds"].is_i64(), "{status}");
    stage.pass(Duration::from_mins(20)).await;
    for (reason, count) in [("RunFailed", 1), ("RunSucceeded", 1)] {
        let events = stage.journal.of(&format!("event hourly {reason}"));
        assert_eq!(events.len(), count, "{}", stage.journal.shown());
    }
    let lists = stage.journal.of("GET jobs").into_iter().filter(|line| line.what == "GET jobs");
    assert_eq!(lists.count(), 0, "MLRuns tell all of it");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_run_that_goes_on_at_the_next_firing_stays_beside_the_new_one() -> Result<()> {
    // With what comes before and after a step, a run takes longer than an hour.
    let stage = hourly(Duration::from_mins(45)).await?;
    let status = stage.nights("hourly", 1).await?;
    let phases: Vec<&str> =
        status["runs"].as_array().into_iter().flatten().filter_map(|run| run["phase"].as_str()).collect();
    assert_eq!(phases, ["Running", "Succeeded"], "{status}");
    assert_eq!(condition(&stage)["status"], "True", "the one that has ended counts: {status}");
    assert!(status["lastRun"]["finishedAt"].is_null() && status["lastSuccessAt"].is_string(), "{status}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn looks_come_soon_after_a_firing_and_ever_less_often_while_a_run_goes_on() -> Result<()> {
    let stage = hourly(Duration::from_mins(30)).await?;
    stage.pass(before_the_hour()).await;
    let fired = stage.journal.elapsed();
    stage.nights("hourly", 1).await?;
    let looks: Vec<f64> = stage
        .journal
        .of("GET jobs")
        .iter()
        .filter(|line| line.at > fired)
        .map(|line| line.at.saturating_sub(fired).as_secs_f64())
        .collect();
    assert!(looks[1] <= 16.0 && looks.len() < 30, "{looks:?}");
    let longest = looks.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    assert!((200.0..=315.0).contains(&longest), "{looks:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_run_from_studio_counts_and_names_that_people_change_make_no_difference() -> Result<()> {
    let stage = hourly(Duration::from_mins(5)).await?;
    stage.nights("hourly", 1).await?;
    let name = stage.azure_name("hourly");
    let now = r#"{"scheduleTime": "2026-01-05T05:00:00Z"}"#;
    stage.studio("POST", &format!("schedules/{name}/trigger?api-version=2024-01-01-preview"), now).await?;
    let status = stage.nights("hourly", 2).await?;
    assert!(stage.journal.of("PUT jobs/").is_empty(), "{status}");
    // Somebody gives the schedule another name in studio, and the author another experiment.
    stage.portal("schedules", &name, &json!({"properties": {"displayName": "renamed"}})).await?;
    stage.apply(&manifest("MLSchedule", "hourly", &format!("{HOURLY}, experiment: moved")));
    let status = stage.nights("hourly", 3).await?;
    let runs = status["runs"].as_array().map(Vec::len);
    assert_eq!(runs, Some(3), "{status}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_deleted_after_its_end_stays_in_status() -> Result<()> {
    let stage = hourly(Duration::from_mins(5)).await?;
    let before = stage.nights("hourly", 1).await?;
    let job = before["lastRun"]["jobName"].as_str().unwrap_or_default();
    stage.studio("DELETE", &format!("jobs/{job}?api-version=2025-12-01"), "").await?;
    let after = stage.nights("hourly", 2).await?;
    assert_eq!(after["runs"][1], before["lastRun"], "{after}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn another_process_tells_no_end_twice_and_goes_on_with_what_it_finds() -> Result<()> {
    let mut stage = hourly(Duration::from_mins(5)).await?;
    fails(&stage, 1)?;
    stage.nights("hourly", 1).await?;
    stage.start().await?;
    stage.nights("hourly", 2).await?;
    stage.pass(Duration::from_mins(2)).await;
    assert_eq!(stage.journal.of("event hourly RunFailed").len(), 1, "{}", stage.journal.shown());
    assert_eq!(stage.journal.of("event hourly RunSucceeded").len(), 1, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn jobs_that_may_not_be_listed_leave_the_schedule_ready_and_say_so() -> Result<()> {
    let stage = hourly(Duration::from_mins(5)).await?;
    stage.nights("hourly", 1).await?;
    let denied = json!({"match": {"method": "GET", "path": "/jobs[?]"}, "do": {"status": 403, "code": "AuthorizationFailed"}});
    let fault = stage.fault(denied)?;
    let told = |_: &[Line]| (condition(&stage)["reason"] == "RunsUnread").then_some(());
    stage.journal.until("that jobs may not be listed", told).await?;
    let schedule = stage.get("MLSchedule", "hourly");
    assert_eq!(kubernetes::condition(&schedule, "Ready")["status"], "True", "{schedule}");
    assert!(schedule["status"]["lastRun"]["jobName"].is_string(), "what was known stays: {schedule}");
    assert!(stage.azure.release(&fault, false), "there is no such fault");
    let told = |_: &[Line]| (condition(&stage)["reason"] == "RunSucceeded").then_some(());
    stage.journal.until("that jobs are listed", told).await
}

#[tokio::test(start_paused = true)]
async fn one_list_serves_all_schedules_of_a_workspace_and_each_failure_costs_one_call() -> Result<()> {
    let stage = hourly(Duration::from_mins(5)).await?;
    for number in 0..40 {
        stage.apply(&manifest("MLSchedule", &format!("s{number}"), HOURLY));
    }
    stage.ready("MLSchedule", "s39").await?;
    stage.pass(before_the_hour().saturating_sub(Duration::from_secs(1))).await;
    fails(&stage, 20)?;
    let from = stage.journal.end();
    let all = |_: &[Line]| {
        let is_over = |number: i32| {
            stage.get("MLSchedule", &format!("s{number}"))["status"]["lastRun"]["finishedAt"].is_string()
        };
        (0..40).all(is_over).then_some(())
    };
    stage.journal.until("the end of all", all).await?;
    let sent = stage.journal.azure(from);
    let count = |what: &dyn Fn(&str) -> bool| sent.iter().filter(|line| what(line)).count();
    let lists = count(&|line| line == "GET jobs");
    // Two pages a list at most, at the looks of one run of six minutes.
    assert!((1..=40).contains(&lists), "{lists}: {sent:?}");
    assert_eq!(count(&|line| line.ends_with("/children")), 20, "{sent:?}");
    assert_eq!(count(&|line| line.starts_with("GET jobs/")), 0, "{sent:?}");
    // The rest are lists of schedules, one a look.
    let others = sent.len() - lists - 20;
    assert!(others <= 100, "{others}: {sent:?}");
    Ok(())
}
