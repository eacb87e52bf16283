//! Schedules: the address before anything is sent, a firing that is missing, and deletion before Azure shows one.

use super::*;

async fn with_pipeline(hidden: Duration) -> Result<Stage> {
    let mut options = usual();
    options.times.schedule = hidden;
    let stage = Stage::with(options, GRANTS).await?;
    stage.apply(&pipelines::whole("p"));
    stage.ready("MLPipeline", "p").await?;
    Ok(stage)
}

/// The name that the schedule has in Azure.
fn name(stage: &Stage) -> String {
    let schedule = stage.get("MLSchedule", "hourly");
    let id = schedule["status"]["azureId"].as_str().unwrap_or_default();
    id.rsplit('/').next().unwrap_or_default().to_owned()
}

const HOURLY: &str = "pipelineRef: {name: p}, cron: '0 * * * *'";

#[tokio::test(start_paused = true)]
async fn a_schedule_has_its_address_before_azure_hears_of_it() -> Result<()> {
    let stage = with_pipeline(Duration::from_secs(6)).await?;
    let from = stage.journal.end();
    stage.apply(&manifest("MLSchedule", "hourly", HOURLY));
    stage.ready("MLSchedule", "hourly").await?;
    let writes = stage.journal.writes(from).into_iter();
    let writes: Vec<String> = writes.map(|what| what.replace(&name(&stage), "…")).collect();
    let [creating, ready] = ["status MLSchedule/hourly Creating", "status MLSchedule/hourly Succeeded"];
    assert_eq!(writes, ["patch MLSchedule/hourly", creating, "PUT schedules/…", ready]);
    let (address, applied) = (&stage.journal.of(creating)[0].body, &stage.journal.of(ready)[0].body);
    assert!(address["azureId"].is_string() && address["appliedHash"].is_null(), "{address}");
    assert!(applied["appliedHash"].is_string() && applied["next"][0].is_string(), "{applied}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_did_not_fire_is_told_once() -> Result<()> {
    let stage = with_pipeline(Duration::from_secs(6)).await?;
    stage.apply(&manifest("MLSchedule", "hourly", HOURLY));
    stage.ready("MLSchedule", "hourly").await?;
    stage.pass(Duration::from_hours(3)).await;
    assert_eq!(stage.journal.of("event hourly FiringMissed").len(), 0, "{}", stage.journal.shown());
    stage.pass(before_the_hour().saturating_sub(Duration::from_secs(2))).await;
    let disabled = stage.journal.elapsed();
    stage.portal("schedules", &name(&stage), &json!({"properties": {"isEnabled": false}})).await?;
    let told = stage.times("event hourly FiringMissed", 1).await?[0].saturating_sub(disabled);
    // Asked for after two, four and eight minutes; the last time decides.
    assert!((480..=515).contains(&told.as_secs()), "{told:?}: {}", stage.journal.shown());
    stage.pass(Duration::from_hours(3)).await;
    assert_eq!(stage.journal.of("event hourly FiringMissed").len(), 1, "{}", stage.journal.shown());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_is_deleted_before_azure_shows_it_is_waited_for_and_removed() -> Result<()> {
    let stage = with_pipeline(Duration::from_secs(50)).await?;
    let from = stage.journal.end();
    stage.apply(&manifest("MLSchedule", "hourly", HOURLY));
    stage.times("PUT schedules/", 1).await?;
    stage.delete("MLSchedule", "hourly");
    stage.gone("MLSchedule", "hourly").await?;
    let (puts, deleted) = (stage.journal.of("PUT schedules/"), stage.journal.of("DELETE schedules/"));
    let enabled = puts.iter().filter(|put| put.body["properties"]["isEnabled"] == true).count();
    assert_eq!((enabled, deleted.len()), (1, 1), "{}", stage.journal.shown());
    let shown = stage.journal.of("GET schedules/").into_iter().find(|look| look.status == Some(200));
    assert!(
        shown.is_some_and(|shown| shown.at > puts[0].at + Duration::from_secs(50)),
        "it was there at once"
    );
    assert_eq!(stage.journal.writes(from).last().map(String::as_str), Some("patch MLSchedule/hourly"));
    Ok(())
}
