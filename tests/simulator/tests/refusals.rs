//! Refusals as Azure was recorded to give them: whose they are shows in headers, and what they mean in the codes.

use crate::support;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Answer, Sim};

/// The codes of an error of Azure ML's assets, from the outside in.
fn chain(answer: &Answer) -> Vec<String> {
    let error = &answer.body["error"];
    let mut codes = vec![answer.code().to_owned()];
    let more = error["additionalInfo"].as_array().into_iter().flatten();
    let mut inner = more.filter(|one| one["type"] == "InnerError").map(|one| &one["info"]["value"]).next();
    while let Some(code) = inner.and_then(|inner| inner["code"].as_str()) {
        codes.push(code.to_owned());
        inner = inner.map(|inner| &inner["innerError"]);
    }
    codes
}

#[tokio::test]
async fn the_resource_managers_own_errors_say_so_and_tell_no_limits() {
    let sim = Sim::start().await;
    let missing = sim.get(&sim.workspace().replace("/ws", "/other")).await;
    assert_eq!((missing.status, missing.code()), (StatusCode::NOT_FOUND, "ResourceNotFound"));
    assert_eq!(missing.header("x-ms-failure-cause"), "gateway");
    assert!(missing.message().ends_with("https://aka.ms/ARMResourceNotFoundFix"), "{missing:?}");
    let below = sim.get(&format!("{}/computes/cpu", sim.workspace().replace("/ws", "/other"))).await;
    assert_eq!(below.code(), "ParentResourceNotFound");
    assert!(below.message().ends_with("Parent resource 'other' not found."), "{below:?}");
    let unknown = sim.send_as("x", Method::GET, "computes", None).await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    for answer in [&missing, &below, &unknown] {
        assert!(!answer.header("x-ms-request-id").is_empty(), "{answer:?}");
        assert!(!answer.headers.contains_key("x-ms-ratelimit-remaining-subscription-reads"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_error_of_azure_ml_has_its_codes_within_and_no_target() {
    let sim = Sim::start().await;
    let missing = sim.get("datastores/none").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(chain(&missing), ["UserError", "NotFoundError"]);
    let error = missing.body["error"].as_object().unwrap();
    assert!(!error.contains_key("target"));
    assert_eq!(error["details"], json!([]));
    let types: Vec<&Value> =
        error["additionalInfo"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(types, ["ComponentName", "Correlation", "Environment", "Location", "Time", "InnerError"]);
    assert_eq!(missing.header("x-ms-response-type"), "error");
    assert!(!missing.headers.contains_key("x-ms-failure-cause"));
    assert!(missing.headers.contains_key("x-ms-ratelimit-remaining-subscription-global-reads"));
}

#[tokio::test]
async fn what_is_recorded_or_documented_can_be_ordered_by_name() {
    let sim = Sim::start().await;
    let order = async |name: &str| {
        let fault = json!({ "match": { "path": "/computes" }, "do": { "recorded": name }, "times": 1 });
        sim.simulator.fault(fault).unwrap();
        sim.delete("computes/cpu?underlyingResourceAction=Delete").await
    };
    let throttled = order("TooManyRequests").await;
    assert_eq!(chain(&throttled), ["UserError", "QuotaExceeded", "TooManyRequests"]);
    assert!(throttled.message().ends_with("Retry again after 20 seconds."));
    assert!(!throttled.headers.contains_key("retry-after"));
    let page = order("BadGatewayPage").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::BAD_GATEWAY, "text/html"));
    assert!(!page.headers.contains_key("x-ms-request-id"));
    let policy = order("RequestDisallowedByPolicy").await;
    assert_eq!((policy.status, policy.code()), (StatusCode::FORBIDDEN, "RequestDisallowedByPolicy"));
    assert!(policy.body.to_string().len() > 30_000);
    let locked = order("ScopeLocked").await;
    assert_eq!((locked.status, locked.code()), (StatusCode::CONFLICT, "ScopeLocked"));
    assert!(locked.message().contains("cannot perform delete operation"), "{locked:?}");
    let tasks = order("TasksOperationsNotAllowed").await;
    assert_eq!((tasks.status, tasks.code()), (StatusCode::BAD_REQUEST, "TasksOperationsNotAllowed"));
    assert!(sim.simulator.fault(json!({ "do": { "recorded": "Nonsense" } })).is_err());
}
