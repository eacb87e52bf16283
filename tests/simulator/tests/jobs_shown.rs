//! Jobs as they are shown: of a component, and of a command.

use crate::support;

use reqwest::StatusCode;
use serde_json::json;
use support::Sim;

async fn frozen() -> Sim {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 2).await;
    sim
}

#[tokio::test]
async fn a_job_of_a_component_runs_the_steps_that_the_component_does_not_show() {
    let sim = frozen().await;
    let step = sim.component("work", "run").await;
    let jobs = json!({ "only": { "type": "command", "name": "only", "componentId": step } });
    let spec = json!({ "type": "pipeline", "name": "inner", "version": "1", "jobs": jobs });
    sim.put("components/inner/versions/1", &json!({ "properties": { "componentSpec": spec } })).await;
    let id = format!("{}/components/inner/versions/1", sim.workspace());
    let body = json!({ "jobType": "Pipeline", "componentId": id, "jobs": {},
                       "settings": { "default_compute": format!("{}/computes/cpu", sim.workspace()) } });
    let put = sim.submit("run-1", &body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    assert!(put.header("location").contains("/jobs/run-1?"));
    let shown = &put.body["properties"];
    assert_eq!((&shown["componentId"], &shown["jobs"]), (&json!(id), &json!({})));
    assert_eq!(shown["properties"]["azureml.SourceComponentId"], json!(id));
    assert_eq!(shown["properties"]["azureml.continue_on_step_failure"], "True", "where nothing is said");
    assert_eq!(sim.over("run-1").await, "Completed");
    assert!(sim.steps("run-1").await.contains_key("only"));
    let lost = json!({ "jobType": "Pipeline", "jobs": {}, "componentId": id.replace("inner", "none") });
    let refused = sim.submit("run-2", &lost).await;
    assert_eq!(
        (refused.status, refused.chain().as_slice()),
        (StatusCode::NOT_FOUND, ["NotFound"].as_slice())
    );
    assert!(refused.message().contains("Message: Not found component none (version: 1)."), "{refused:?}");
}

#[tokio::test]
async fn a_command_job_that_has_ended_is_cancelled_without_a_word() {
    let sim = frozen().await;
    sim.put("environments/r/versions/1", &json!({ "properties": { "image": "a" } })).await;
    let body = json!({ "jobType": "Command", "command": "true", "computeId": format!("{}/computes/cpu", sim.workspace()),
                       "environmentId": format!("{}/environments/r/versions/1", sim.workspace()) });
    let put = sim.submit("run-1", &body).await;
    assert_eq!((put.status, &put.body["properties"]["status"]), (StatusCode::CREATED, &json!("Starting")));
    assert!(put.body["properties"]["outputs"]["default"]["uri"].is_string());
    assert!(put.body["systemData"].get("lastModifiedAt").is_none());
    assert_eq!(sim.over("run-1").await, "Completed");
    let cancel = sim.post("jobs/run-1/cancel").await;
    assert_eq!((cancel.status, &cancel.body), (StatusCode::OK, &json!("")));
}
