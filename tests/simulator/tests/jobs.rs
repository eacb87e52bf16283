//! Jobs: from PUT through the phases of each step to their end, and what run history tells of it.

use crate::support;

use azureml_simulator::{Options, Times};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use support::Sim;

/// A frozen simulator in which a node takes 10 s, a step 40 s, so that each phase can be looked at.
async fn slow() -> Sim {
    let times = Times { node: Duration::from_secs(10), step: Duration::from_secs(40), ..Times::default() };
    let sim = Sim::with(Options { virtual_clock: true, times, ..Options::default() }).await;
    sim.cluster("cpu", 2).await;
    sim
}

async fn frozen() -> Sim {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 2).await;
    sim
}

#[tokio::test]
async fn a_pipeline_runs_its_steps_in_the_order_of_their_bindings() {
    let sim = slow().await;
    let pipeline = sim.pipeline().await;
    let put = sim.submit("run-1", &pipeline).await;
    assert_eq!((put.status, &put.body["properties"]["status"]), (StatusCode::CREATED, &json!("Preparing")));
    assert!(put.body["properties"]["services"]["Studio"]["endpoint"].as_str().unwrap().contains("run-1"));
    let mut seen = Vec::new();
    for _ in 0..40 {
        sim.pass(5);
        let steps = sim.steps("run-1").await;
        let status =
            |name: &str| steps.get(name).map_or("-", |run| run["status"].as_str().unwrap()).to_owned();
        let now = (status("prep"), status("train"));
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    let seen: Vec<String> = seen.into_iter().map(|(a, b)| format!("{a}/{b}")).collect();
    let wanted = "-/- Queued/- Preparing/- Running/- Finalizing/- Completed/Preparing Completed/Running \
                  Completed/Finalizing Completed/Completed";
    assert_eq!(seen.join(" "), wanted.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(sim.over("run-1").await, "Completed");
}

#[tokio::test]
async fn the_cluster_grows_for_a_step_and_shrinks_after_its_idle_time() {
    let sim = slow().await;
    let pipeline = sim.pipeline().await;
    sim.submit("run-1", &pipeline).await;
    sim.pass(15);
    let nodes = async || sim.get("computes/cpu").await.body["properties"]["properties"].clone();
    assert_eq!(nodes().await["nodeStateCounts"]["preparingNodeCount"], 1);
    assert_eq!(nodes().await["allocationState"], "Resizing");
    sim.pass(10);
    let listed = sim.post("computes/cpu/listNodes").await.body;
    assert_eq!(listed["nodes"][0]["nodeState"], "running");
    assert_eq!(listed["nodes"][0]["runId"], sim.steps("run-1").await["prep"]["runId"]);
    assert_eq!(sim.over("run-1").await, "Completed");
    sim.pass(200);
    assert_eq!(nodes().await["currentNodeCount"], 0);
}

#[tokio::test]
async fn run_history_tells_times_parameters_and_logs_of_every_step() {
    let sim = frozen().await;
    let pipeline = sim.pipeline().await;
    sim.submit("run-1", &pipeline).await;
    assert_eq!(sim.over("run-1").await, "Completed");
    let steps = sim.steps("run-1").await;
    let train = &steps["train"];
    assert_eq!((&train["displayName"], &train["parentRunId"]), (&json!("train"), &json!("run-1")));
    assert_eq!(
        (&train["name"], &train["properties"]["azureml.moduleName"]),
        (&json!("training"), &json!("training"))
    );
    let node = train["properties"]["azureml.nodeid"].as_str().unwrap();
    assert!(node.len() == 8 && node.chars().all(|digit| digit.is_ascii_hexdigit()), "{node}");
    assert!(train["startTimeUtc"].is_string() && train["endTimeUtc"].is_string() && train["error"].is_null());
    let id = train["runId"].as_str().unwrap();
    let details = sim.history(id, "details").await;
    let log =
        sim.http.get(details["logFiles"]["user_logs/std_log.txt"].as_str().unwrap()).send().await.unwrap();
    assert!(log.text().await.unwrap().contains("was not executed: the simulator runs without --execute"));
    assert!(train["properties"]["azureml-simulator.notExecuted"].is_string());
    let job = sim.get(&format!("jobs/{id}")).await.body;
    assert_eq!(job["properties"]["inputs"]["n"]["value"], "500");
    let model = job["properties"]["outputs"]["out"]["uri"].as_str().unwrap();
    assert_eq!(model, "azureml://datastores/workspaceblobstore/paths/azureml/run-1/model/");
    let root = sim.get("jobs/run-1").await.body;
    let output = &root["properties"]["outputs"]["model"];
    assert_eq!(
        (&output["uri"], &output["mode"]),
        (&Value::Null, &json!("ReadWriteMount")),
        "nothing was said"
    );
    assert!(root["properties"]["outputs"].get("default").is_none(), "a pipeline has no output of its own");
}

#[tokio::test]
async fn a_failing_step_fails_its_pipeline_and_each_says_why() {
    let sim = frozen().await;
    let fault = json!({ "match": { "path": "jobs/run-1/steps/prep$" }, "when": "outcome",
                        "do": { "fail": { "code": "UserError", "message": "exit status 1" } } });
    sim.simulator.fault(fault).unwrap();
    let pipeline = sim.pipeline().await;
    sim.submit("run-1", &pipeline).await;
    assert_eq!(sim.over("run-1").await, "Failed");
    let steps = sim.steps("run-1").await;
    assert_eq!(steps["prep"]["error"]["error"]["message"], "exit status 1");
    assert!(!steps.contains_key("train"), "a step that never started has no run");
    let parent = sim.history("run-1", "details").await;
    let message = parent["error"]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("Pipeline has some failed steps."), "{message}");
    let error = &parent["error"]["error"];
    assert_eq!(
        (&error["code"], &error["referenceCode"]),
        (&json!("ServiceError"), &json!("PipelineHasStepJobFailed"))
    );
}

/// Two branches: `a` fails, `b` runs longer because a fault holds it; `c` needs `b`.
async fn branches(goes_on: bool) -> (Sim, String) {
    let sim = frozen().await;
    let id = sim.component("work", "run").await;
    let node = |name: &str| json!({ "type": "command", "name": name, "componentId": id });
    let mut c = node("c");
    c["inputs"] =
        json!({ "data": { "job_input_type": "literal", "value": "${{parent.jobs.b.outputs.out}}" } });
    let body = json!({
        "jobType": "Pipeline", "jobs": { "a": node("a"), "b": node("b"), "c": c },
        "settings": { "default_compute": format!("{}/computes/cpu", sim.workspace()), "continue_on_step_failure": goes_on,
                      "force_rerun": true },
    });
    let fail = json!({ "match": { "path": "steps/a$" }, "when": "outcome", "do": { "fail": { "code": "E", "message": "m" } } });
    let hold = json!({ "id": "h", "match": { "path": "steps/b$" }, "when": "outcome", "do": "hold" });
    sim.simulator.fault(fail).unwrap();
    sim.simulator.fault(hold).unwrap();
    assert_eq!(sim.submit("run-1", &body).await.status, StatusCode::CREATED);
    sim.pass(30);
    let status = sim.steps("run-1").await["b"]["status"].as_str().unwrap().to_owned();
    (sim, status)
}

#[tokio::test]
async fn when_a_step_fails_what_runs_beside_it_is_cancelled() {
    let (sim, b) = branches(false).await;
    assert_eq!(b, "Canceled");
    assert_eq!(sim.over("run-1").await, "Failed");
    assert!(!sim.steps("run-1").await.contains_key("c"));
}

#[tokio::test]
async fn with_continue_on_step_failure_the_other_branch_goes_on() {
    let (sim, b) = branches(true).await;
    assert_eq!(b, "Running");
    assert!(sim.simulator.release("h", false));
    assert_eq!(sim.over("run-1").await, "Failed");
    assert_eq!(sim.steps("run-1").await["c"]["status"], "Completed");
}

#[tokio::test]
async fn a_step_that_did_the_same_before_is_reused_unless_a_rerun_is_forced() {
    let sim = frozen().await;
    let mut pipeline = sim.pipeline().await;
    for (name, forced, reused) in [("run-1", false, false), ("run-2", false, true), ("run-3", true, false)] {
        pipeline["settings"]["force_rerun"] = json!(forced);
        sim.submit(name, &pipeline).await;
        assert_eq!(sim.over(name).await, "Completed");
        let steps = sim.steps(name).await;
        for step in ["prep", "train"] {
            let property = &steps[step]["properties"]["azureml.isreused"];
            assert_eq!(*property == "true", reused, "{name} {step}");
        }
    }
    pipeline["inputs"]["trees"]["value"] = json!("501");
    pipeline["settings"]["force_rerun"] = json!(false);
    sim.submit("run-4", &pipeline).await;
    sim.over("run-4").await;
    let steps = sim.steps("run-4").await;
    assert_eq!(steps["prep"]["properties"]["azureml.isreused"], "true");
    assert!(steps["train"]["properties"]["azureml.isreused"].is_null(), "another input is other work");
}

#[tokio::test]
async fn a_job_that_is_cancelled_ends_with_its_steps() {
    let sim = slow().await;
    let pipeline = sim.pipeline().await;
    sim.submit("run-1", &pipeline).await;
    sim.pass(40);
    let cancel = sim.post("jobs/run-1/cancel").await;
    assert_eq!((cancel.status, cancel.header("azure-asyncoperation")), (StatusCode::ACCEPTED, ""));
    assert_eq!(sim.get("jobs/run-1").await.body["properties"]["status"], "CancelRequested");
    let location = cancel.header("location").to_owned();
    assert_eq!(sim.get(&location).await.status, StatusCode::ACCEPTED);
    sim.pass(1);
    assert_eq!(sim.get(&location).await.status, StatusCode::OK);
    assert_eq!(sim.get("jobs/run-1").await.body["properties"]["status"], "Canceled");
    assert_eq!(sim.steps("run-1").await["prep"]["status"], "Canceled");
    let ended = sim.post("jobs/run-1/cancel").await;
    let codes = ["UserError", "BadArgument", "ArgumentInvalid", "CancelPipelineRunInTerminalStatus"];
    assert_eq!((ended.status, ended.chain().as_slice()), (StatusCode::BAD_REQUEST, codes.as_slice()));
    let deleted = sim.delete("jobs/run-1").await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED);
    sim.pass(1);
    assert_eq!(sim.get("jobs/run-1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_step_is_cancelled_when_it_runs_longer_than_its_limit() {
    let sim = slow().await;
    let mut pipeline = sim.pipeline().await;
    pipeline["jobs"]["prep"]["limits"] = json!({ "job_limits_type": "Command", "timeout": "PT30S" });
    sim.submit("run-1", &pipeline).await;
    assert_eq!(sim.over("run-1").await, "Failed");
    let prep = &sim.steps("run-1").await["prep"];
    assert_eq!(
        (&prep["status"], &prep["error"]["error"]["code"]),
        (&json!("Canceled"), &json!("JobTimeoutExceeded"))
    );
}

#[tokio::test]
async fn deleting_a_cluster_fails_the_steps_on_it() {
    let sim = slow().await;
    let pipeline = sim.pipeline().await;
    sim.submit("run-1", &pipeline).await;
    sim.pass(40);
    sim.delete("computes/cpu?underlyingResourceAction=Delete").await;
    assert_eq!(sim.over("run-1").await, "Failed");
    assert_eq!(sim.steps("run-1").await["prep"]["error"]["error"]["code"], "ComputeTargetDeleted");
}

#[tokio::test]
async fn a_name_is_one_job_for_ever() {
    let sim = frozen().await;
    let mut pipeline = sim.pipeline().await;
    sim.submit("run-1", &pipeline).await;
    assert_eq!(sim.submit("run-1", &pipeline).await.status, StatusCode::OK, "the same again changes nothing");
    let got = sim.get("jobs/run-1").await.body;
    let back = sim.put("jobs/run-1", &got).await;
    assert_eq!(back.status, StatusCode::OK, "what GET shows can be put back: {back:?}");
    pipeline["tags"]["more"] = json!("1");
    pipeline["description"] = json!("new words");
    let changed = sim.submit("run-1", &pipeline).await;
    assert_eq!((changed.status, &changed.body["properties"]["tags"]["more"]), (StatusCode::OK, &json!("1")));
    pipeline["inputs"]["trees"]["value"] = json!("1");
    let refused = sim.submit("run-1", &pipeline).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.chain(), ["UserError", "Immutable", "JobPropertyImmutable"]);
    sim.over("run-1").await;
    assert_eq!(sim.get("jobs").await.body["value"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn jobs_are_listed_by_property_tag_and_archive() {
    let sim = frozen().await;
    let mut pipeline = sim.pipeline().await;
    sim.submit("run-1", &pipeline).await;
    pipeline["properties"]["uid"] = json!("8");
    sim.submit("run-2", &pipeline).await;
    let names = async |query: &str| {
        let body = sim.get(&format!("jobs?{query}")).await.body;
        let all: Vec<String> = body["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["name"].as_str().unwrap().into())
            .collect();
        all.join(" ")
    };
    assert_eq!(names("jobType=Pipeline").await, "run-2 run-1");
    assert_eq!(names("properties=uid=7").await, "run-1");
    assert_eq!(names("properties=uid").await, "run-2 run-1");
    assert_eq!(names("tag=nobody").await, "");
    let path = format!("/history/v1.0{}/experiments/exp/runs/run-1?api-version=v1.0", sim.workspace());
    let patched = sim.send(Method::PATCH, &path, Some(&json!({ "hidden": true }))).await;
    assert_eq!(patched.status, StatusCode::OK);
    assert_eq!(names("").await, "run-2");
    assert_eq!(names("listViewType=ArchivedOnly").await, "run-1");
    assert_eq!(sim.get("jobs/run-1").await.body["properties"]["isArchived"], true);
}
