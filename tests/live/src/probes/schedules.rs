//! Probes with schedules: disabled ones, and one that is due in half a day.

use super::{LONGEST, LOOKS, SUCCEEDED, ended};
use crate::assumptions::Observed;
use crate::ground::Ground;
use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

/// A schedule that invokes the story's endpoint.
///
/// # Errors
/// When no answer comes.
pub async fn invokes_endpoint(ground: &Ground<'_>) -> Result<Observed> {
    let action = json!({
        "actionType": "InvokeBatchEndpoint",
        "endpointInvocationDefinition": {"endpointId": ground.id("batchEndpoints", &ground.names.namespace())},
    });
    let body = schedule(ground, "invokes", &action, "0 3 * * 1");
    let answer = try_one(ground, "invokes", &body).await?;
    if answer.0 {
        return Ok(Observed::unseen(format!(
            "a disabled one is taken ({}); whether it would run is not seen",
            answer.1
        )));
    }
    Ok(Observed::new(format!("it is refused: {}", answer.1), true))
}

/// A schedule whose job names the story's pipeline component.
///
/// # Errors
/// When no answer comes.
pub async fn of_component(ground: &Ground<'_>) -> Result<Observed> {
    let definition = json!({
        "jobType": "Pipeline",
        "componentId": ground.made.component,
        "displayName": "schedule-of-a-component",
        "experimentName": ground.names.namespace(),
        "tags": ground.names.tags("component"),
        "properties": {},
        "inputs": {"word": {"jobInputType": "literal", "value": "componentId"}},
        "outputs": {},
        "settings": {"default_compute": ground.made.compute, "continue_on_step_failure": false},
        "jobs": {},
    });
    let action = json!({"actionType": "CreateJob", "jobDefinition": definition});
    let body = schedule(ground, "component", &action, "0 3 * * 1");
    let (is_taken, said) = try_one(ground, "component", &body).await?;
    let word = if is_taken { "taken" } else { "refused" };
    Ok(Observed::new(format!("a schedule with `componentId` and no jobs is {word}: {said}"), is_taken))
}

/// A schedule with day of month and month.
///
/// # Errors
/// When no answer comes, or the story sent no schedule.
pub async fn cron_days(ground: &Ground<'_>) -> Result<Observed> {
    let action = ground.sent("/schedules/")?["action"].clone();
    let body = schedule(ground, "days", &action, "0 3 1 1 *");
    let (is_taken, said) = try_one(ground, "days", &body).await?;
    let word = if is_taken { "taken" } else { "refused" };
    Ok(Observed::new(format!("`0 3 1 1 *` is {word}: {said}"), is_taken))
}

/// A schedule that is looked for while it is made.
///
/// # Errors
/// When no answer comes, or it is refused.
pub async fn while_made(ground: &Ground<'_>) -> Result<Observed> {
    let action = ground.sent("/schedules/")?["action"].clone();
    let body = schedule(ground, "young", &action, "0 3 * * 1");
    let path = ground.id("schedules", &ground.names.probe("young"));
    let answer = ground.door.put(&path, &body).await?;
    ensure!(answer.is_success(), "the schedule is refused: {}", answer.said());
    let young = ground.door.get(&path).await?;
    let state = young.body["properties"]["provisioningState"].as_str().unwrap_or("no state").to_owned();
    let began = std::time::Instant::now();
    let mut there = young.is_success();
    while !there && began.elapsed() < std::time::Duration::from_mins(2) {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        there = ground.door.get(&path).await?.is_success();
    }
    settled(ground, &path).await?;
    ground.door.delete(&path).await?;
    let text = if young.is_success() {
        format!("right after its PUT it is there: {state}")
    } else {
        format!("right after its PUT a GET is answered with {}; it was there later", young.said())
    };
    // Either is as assumed: what is absent for a while is waited for.
    Ok(Observed::new(text, there))
}

/// A disabled schedule, sent again with another displayName and another trigger, so that it shows when the change is done.
///
/// # Errors
/// When no answer comes, or the first is refused.
pub async fn display_name(ground: &Ground<'_>) -> Result<Observed> {
    let action = ground.sent("/schedules/")?["action"].clone();
    let mut body = schedule(ground, "named", &action, "0 3 * * 1");
    let path = ground.id("schedules", &ground.names.probe("named"));
    let answer = ground.door.put(&path, &body).await?;
    ensure!(answer.is_success(), "the schedule is refused: {}", answer.said());
    ended(ground, &answer).await?;
    settled(ground, &path).await?;
    let first = body["properties"]["displayName"].clone();
    body["properties"]["displayName"] = json!("another-name");
    body["properties"]["trigger"]["expression"] = json!("0 4 * * 1");
    let other = ground.door.put(&path, &body).await?;
    let end = ended(ground, &other).await?;
    let mut shown = ground.door.get(&path).await?.body["properties"].clone();
    for _ in 0..LOOKS {
        if end != SUCCEEDED || shown["trigger"]["expression"] == "0 4 * * 1" {
            break;
        }
        tokio::time::sleep(ground.settle.min(LONGEST)).await;
        shown = ground.door.get(&path).await?.body["properties"].clone();
    }
    ground.door.delete(&path).await?;
    let is_kept = shown["displayName"] == first;
    let text = format!(
        "another name and trigger are answered with {}: {end}; the trigger is {}, and the first name is kept: {is_kept}",
        other.said(),
        shown["trigger"]["expression"],
    );
    Ok(Observed::new(text, is_kept))
}

/// A schedule with a past start, sent twice.
///
/// # Errors
/// When no answer comes, or it is refused.
pub async fn past_start(ground: &Ground<'_>) -> Result<Observed> {
    let mut action = ground.sent("/schedules/")?["action"].clone();
    action["jobDefinition"]["tags"] = ground.names.tags("past-start");
    let due = (Timestamp::now() + SignedDuration::from_hours(12)).to_zoned(TimeZone::UTC);
    let mut body = schedule(ground, "past", &action, &format!("{} {} * * *", due.minute(), due.hour()));
    body["properties"]["isEnabled"] = json!(true);
    let path = ground.id("schedules", &ground.names.probe("past"));
    for _ in 0..2 {
        let answer = ground.door.put(&path, &body).await?;
        ensure!(answer.is_success(), "the schedule is refused: {}", answer.said());
        settled(ground, &path).await?;
    }
    tokio::time::sleep(ground.settle).await;
    let jobs = ground.door.list(&format!("{}/jobs?tag=azureml-live-probe", ground.workspace.id)).await?;
    let wanted = ground.names.tags("past-start");
    let started = jobs.iter().filter(|job| {
        job["properties"]["tags"]["azureml-operator-owner"] == wanted["azureml-operator-owner"]
    });
    let count = started.count();
    body["properties"]["isEnabled"] = json!(false);
    ground.door.put(&path, &body).await?;
    let seconds = ground.settle.as_secs();
    Ok(Observed::new(format!("after two PUTs and {seconds} s it has started {count} runs"), count == 0))
}

fn schedule(ground: &Ground<'_>, name: &str, action: &Value, cron: &str) -> Value {
    json!({"properties": {
        "displayName": ground.names.probe(name),
        "isEnabled": false,
        "tags": ground.names.tags(name),
        "properties": {},
        "trigger": {"triggerType": "Cron", "expression": cron, "timeZone": "UTC", "startTime": "2020-01-01T00:00:00"},
        "action": action,
    }})
}

/// Makes a schedule and removes it: whether it was taken, and what was said.
async fn try_one(ground: &Ground<'_>, name: &str, body: &Value) -> Result<(bool, String)> {
    let path = ground.id("schedules", &ground.names.probe(name));
    let answer = ground.door.put(&path, body).await?;
    let (is_taken, said) = (answer.is_success(), answer.said());
    if !is_taken {
        return Ok((false, said));
    }
    let state = settled(ground, &path).await?;
    ground.door.delete(&path).await?;
    Ok((state != "Failed", format!("{said}, {state}")))
}

/// Waits until a schedule is no longer being made, and gives its state. Until then it may be absent.
async fn settled(ground: &Ground<'_>, path: &str) -> Result<String> {
    for _ in 0..100 {
        let answer = ground.door.get(path).await?;
        let state = answer.body["properties"]["provisioningState"].as_str().unwrap_or("Succeeded").to_owned();
        if answer.status != 404 && !matches!(state.as_str(), "Creating" | "Updating") {
            return Ok(state);
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    Ok("still being made".to_owned())
}
