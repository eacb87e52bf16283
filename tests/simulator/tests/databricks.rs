//! The workspace of Databricks: who is let in, what starts a run, and how runs go on and end.

use crate::support;

use azureml_simulator::{DATABRICKS, Options};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use support::Sim;

/// Sends a request to the host, past DNS.
async fn ask(sim: &Sim, token: &str, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(format!("https://{DATABRICKS}/api/2.2/jobs/{path}"));
    let request = request.header("authorization", format!("Bearer {token}")).header("content-length", "1");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = sim.simulator.answer(request.body(body.into()).unwrap()).await.unwrap();
    (answer.status(), serde_json::from_slice(answer.body()).unwrap())
}

/// A token of a job's identity for an application.
async fn token(sim: &Sim, resource: &str) -> String {
    let url = format!(
        "{}/msi/token?resource={resource}&api-version=2017-09-01&clientid=c",
        sim.simulator.endpoint()
    );
    let answer = sim.http.get(url).header("secret", "s").send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn run(token: &str) -> Value {
    json!({"idempotency_token": token, "timeout_seconds": 3600,
        "tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/a"}, "existing_cluster_id": "a"}]})
}

#[tokio::test]
async fn a_run_starts_once_for_a_token_and_ends_by_itself_or_by_its_limit() {
    let sim = Sim::with(Options { virtual_clock: true, ..Options::default() }).await;
    let token = token(&sim, "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d").await;
    let start = async |body: &Value| ask(&sim, &token, Method::POST, "runs/submit", body).await;
    let state = async |id: &str| {
        let (_, run) = ask(&sim, &token, Method::GET, &format!("runs/get?run_id={id}"), &Value::Null).await;
        (run["state"]["life_cycle_state"].clone(), run["state"]["result_state"].clone())
    };
    assert_eq!(start(&run("a")).await, (StatusCode::OK, json!({"run_id": 1000})));
    assert_eq!(start(&run("a")).await, (StatusCode::OK, json!({"run_id": 1000})));
    assert_eq!(state("1000").await, (json!("PENDING"), Value::Null));
    let stays =
        json!({"id": "stays", "match": {"path": "/databricks/runs/1002"}, "when": "outcome", "do": "hold"});
    sim.simulator.fault(stays).unwrap();
    assert_eq!(start(&run("b")).await.1, json!({"run_id": 1002}));
    sim.simulator.advance(SignedDuration::from_mins(1)).unwrap();
    assert_eq!(state("1000").await, (json!("TERMINATED"), json!("SUCCESS")));
    assert_eq!(state("1002").await, (json!("RUNNING"), Value::Null));
    sim.simulator.advance(SignedDuration::from_hours(1)).unwrap();
    assert_eq!(state("1002").await, (json!("TERMINATED"), json!("TIMEDOUT")));
    let (status, job) = ask(&sim, &token, Method::POST, "run-now", &json!({"job_id": 7})).await;
    assert_eq!((status, &job["run_id"]), (StatusCode::OK, &json!(1004)));
    ask(&sim, &token, Method::POST, "runs/cancel", &json!({"run_id": 1004})).await;
    assert_eq!(state("1004").await, (json!("TERMINATED"), json!("CANCELED")));
}

#[tokio::test]
async fn what_is_no_run_and_who_is_nobody_is_refused() {
    let sim = Sim::start().await;
    let good = token(&sim, "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d").await;
    let submit =
        async |token: &str, body: &Value| ask(&sim, token, Method::POST, "runs/submit", body).await.0;
    assert_eq!(
        submit(&token(&sim, "https://management.azure.com").await, &run("a")).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(submit("dapi-of-nobody", &run("a")).await, StatusCode::FORBIDDEN);
    sim.simulator.put_secret("vault", "token", "dapi-of-a-vault");
    assert_eq!(submit("dapi-of-a-vault", &run("a")).await, StatusCode::OK);
    let mut without_cluster = run("b");
    without_cluster["tasks"][0]["existing_cluster_id"] = Value::Null;
    let mut of_two_kinds = run("b");
    of_two_kinds["tasks"][0]["spark_jar_task"] = json!({});
    for body in [json!({}), without_cluster, of_two_kinds, run(&"t".repeat(65))] {
        assert_eq!(submit(&good, &body).await, StatusCode::BAD_REQUEST, "{body}");
    }
    let (status, said) = ask(&sim, &good, Method::GET, "runs/get?run_id=7", &Value::Null).await;
    assert_eq!((status, &said["error_code"]), (StatusCode::BAD_REQUEST, &json!("INVALID_PARAMETER_VALUE")));
}
