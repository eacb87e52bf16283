//! Schedules: they fire by themselves, at the times of their trigger, until they are disabled.

use crate::support;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::Sim;

async fn frozen() -> (Sim, Value) {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 2).await;
    let pipeline = sim.pipeline().await;
    (sim, pipeline)
}

fn schedule(job: &Value, trigger: &Value) -> Value {
    json!({ "properties": {
        "displayName": "nightly", "isEnabled": true, "tags": { "owner": "me" }, "trigger": trigger,
        "action": { "actionType": "CreateJob", "jobDefinition": job },
    } })
}

fn hourly() -> Value {
    json!({ "triggerType": "Cron", "expression": "0 * * * *", "startTime": "2020-01-01T00:00:00", "timeZone": "UTC" })
}

async fn jobs(sim: &Sim) -> Vec<Value> {
    sim.get("jobs?listViewType=All").await.body["value"].as_array().unwrap().clone()
}

/// Keeps operations of schedules from ending: some take no time at all.
fn hold(sim: &Sim) {
    let hold =
        json!({ "id": "h", "match": { "path": "schedules/nightly$" }, "when": "outcome", "do": "hold" });
    sim.simulator.fault(hold).unwrap();
}

/// Lets operations end again.
fn release(sim: &Sim) {
    assert!(sim.simulator.release("h", false));
    sim.pass(1);
}

/// The seconds until the next full hour of the simulator's clock.
fn to_the_hour(sim: &Sim) -> i64 {
    3600 - sim.simulator.now().as_second() % 3600
}

#[tokio::test]
async fn a_schedule_fires_at_its_times_with_the_jobs_properties_and_tags() {
    let (sim, job) = frozen().await;
    hold(&sim);
    let put = sim.put("schedules/nightly", &schedule(&job, &hourly())).await;
    assert_eq!(
        (put.status, &put.body["properties"]["provisioningState"]),
        (StatusCode::CREATED, &json!("Creating"))
    );
    assert_eq!(put.body.as_object().map(serde_json::Map::len), Some(1), "nothing but properties: {put:?}");
    assert_eq!(put.body["properties"]["action"]["jobDefinition"]["status"], "NotStarted");
    assert_eq!(put.body["properties"]["trigger"]["endTime"], Value::Null);
    assert_eq!(sim.get("schedules/nightly").await.status, StatusCode::NOT_FOUND, "it is not there yet");
    assert_eq!(sim.get("schedules").await.body["value"], json!([]));
    assert!(put.header("azure-asyncoperation").contains("mfeOperationsStatus"));
    release(&sim);
    let got = sim.get("schedules/nightly").await.body;
    assert_eq!((got.get("id"), got.get("type"), &got["name"]), (None, None, &json!("nightly")));
    assert_eq!(jobs(&sim).await.len(), 0, "a start in the past fires at the next time only");
    sim.pass(to_the_hour(&sim) + 3600 + 60);
    let all = jobs(&sim).await;
    assert_eq!(all.len(), 2);
    let body = &all[0]["properties"];
    assert_eq!((&body["tags"]["owner"], &body["properties"]["uid"]), (&json!("me"), &json!("7")));
    let name = body["displayName"].as_str().unwrap();
    assert!(name.starts_with("nightly-2") && name.ends_with("0000Z"), "{name}");
    let mine = sim.get("jobs?api-version=2024-01-01-preview&scheduled=true&scheduleId=nightly").await.body;
    assert_eq!(mine["value"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn without_a_start_a_schedule_fires_at_once() {
    let (sim, job) = frozen().await;
    let trigger = json!({ "triggerType": "Cron", "expression": "0 3 * * *" });
    sim.put("schedules/nightly", &schedule(&job, &trigger)).await;
    sim.pass(2);
    assert_eq!(jobs(&sim).await.len(), 1);
}

#[tokio::test]
async fn a_schedule_must_be_disabled_before_it_is_deleted() {
    let (sim, job) = frozen().await;
    let mut body = schedule(&job, &hourly());
    hold(&sim);
    sim.put("schedules/nightly", &body).await;
    assert_eq!(
        sim.put("schedules/nightly", &body).await.status,
        StatusCode::CONFLICT,
        "one operation at a time"
    );
    release(&sim);
    let begun = sim.delete("schedules/nightly").await;
    assert_eq!((begun.status, &begun.body), (StatusCode::ACCEPTED, &Value::Null));
    sim.pass(1);
    let ended = sim.get(begun.header("azure-asyncoperation")).await.body;
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("Failed"), &json!("UserError")));
    assert_eq!(ended["error"]["message"], "Cannot delete an active trigger nightly");
    assert_eq!(sim.get("schedules/nightly").await.body["properties"]["provisioningState"], "Succeeded");
    body["properties"]["isEnabled"] = json!(false);
    hold(&sim);
    let changed = sim.put("schedules/nightly", &body).await;
    assert_eq!(changed.status, StatusCode::CREATED, "201 for a change too");
    assert_eq!(changed.body["properties"]["provisioningState"], "Creating");
    let before = sim.get("schedules/nightly").await.body;
    assert_eq!(before["properties"]["isEnabled"], true, "what it was, until the change is made");
    release(&sim);
    assert_eq!(
        sim.get("schedules").await.body["value"],
        json!([]),
        "a disabled schedule is not in the default list"
    );
    assert_eq!(sim.get("schedules?listViewType=All").await.body["value"].as_array().map(Vec::len), Some(1));
    sim.pass(to_the_hour(&sim) + 60);
    assert_eq!(jobs(&sim).await.len(), 0, "a disabled schedule does not fire");
    let deleted = sim.delete("schedules/nightly").await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED);
    assert!(deleted.header("location").contains("mfeOperationResults"));
    sim.pass(1);
    assert_eq!(sim.get("schedules/nightly").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_display_name_is_fixed_and_what_cannot_run_is_refused() {
    let (sim, job) = frozen().await;
    sim.put("schedules/nightly", &schedule(&job, &hourly())).await;
    sim.pass(1);
    let mut other = schedule(&job, &hourly());
    other["properties"]["displayName"] = json!("else");
    assert_eq!(sim.put("schedules/nightly", &other).await.status, StatusCode::BAD_REQUEST);
    let mut lost = job.clone();
    lost["settings"]["default_datastore"] = json!("azureml:none");
    assert_eq!(sim.put("schedules/lost", &schedule(&lost, &hourly())).await.status, StatusCode::BAD_REQUEST);
    let zone = json!({ "triggerType": "Cron", "expression": "0 3 * * *", "timeZone": "Europe/Zurich" });
    let refused = sim.put("schedules/zone", &schedule(&job, &zone)).await;
    assert!(refused.message().contains("Windows"), "{refused:?}");
}

#[tokio::test]
async fn an_end_in_the_past_is_accepted_and_fails_later() {
    let (sim, job) = frozen().await;
    let trigger = json!({ "triggerType": "Cron", "expression": "0 * * * *", "startTime": "2020-01-01 00:00:00",
                          "endTime": "2020-01-02 00:00:00" });
    let put = sim.put("schedules/past", &schedule(&job, &trigger)).await;
    assert_eq!(put.status, StatusCode::CREATED);
    sim.pass(1);
    let ended = sim.get(put.header("azure-asyncoperation")).await.body;
    assert_eq!(ended["status"], "Failed");
    let text = "Job info with trigger is invalid, details: The Cron EndTime should not be in the past";
    assert_eq!(ended["error"]["message"], text);
}

#[tokio::test]
async fn a_change_in_the_portal_is_in_force_at_once() {
    let (sim, job) = frozen().await;
    sim.put("schedules/nightly", &schedule(&job, &hourly())).await;
    sim.pass(1);
    let patch = json!({ "properties": { "isEnabled": false } });
    let done = sim.control(Method::POST, "schedules/rg/ws/nightly", patch).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    assert_eq!(sim.get("schedules/nightly").await.body["properties"]["isEnabled"], false);
    sim.pass(to_the_hour(&sim) + 60);
    assert_eq!(jobs(&sim).await.len(), 0);
}

#[tokio::test]
async fn a_schedule_is_triggered_by_hand_and_fills_in_the_time() {
    let (sim, mut job) = frozen().await;
    let id = sim.component("day", "run").await;
    job["jobs"] = json!({ "day": { "type": "command", "name": "day", "componentId": id } });
    job["inputs"] =
        json!({ "when": { "jobInputType": "literal", "value": "${{creation_context.trigger_time}}" } });
    job["outputs"] = json!({});
    sim.put("schedules/nightly", &schedule(&job, &hourly())).await;
    sim.pass(1);
    let body = json!({ "scheduleTime": "2026-11-21T23:38:05+00:00" });
    let path = "schedules/nightly/trigger?api-version=2024-01-01-preview";
    let answer = sim.send(Method::POST, path, Some(&body)).await;
    assert_eq!((answer.status, &answer.body["scheduleActionType"]), (StatusCode::OK, &json!("CreateJob")));
    let name = answer.body["submissionId"].as_str().unwrap();
    let made = sim.get(&format!("jobs/{name}")).await.body;
    assert_eq!(made["properties"]["inputs"]["when"]["value"], "2026-11-21T23:38:05Z");
    assert_eq!(made["properties"]["displayName"], "nightly-20261121T233805Z");
}
