//! Tests of operations: what their addresses say while they go on, and at their end.

use super::*;

fn operation(service: Service, work: Work) -> Operation {
    let resource = "/subscriptions/s/resourceGroups/g/providers/P/workspaces/w/things/one";
    let id = url::id(service, "guid", resource, "11111111-1111-4111-8111-111111111111");
    Operation::new(id, resource.into(), work, "westeurope".into(), Timestamp::UNIX_EPOCH)
}

fn body(operation: &Operation) -> Value {
    serde_json::from_slice(&operation.status("https://b", "v").body).unwrap()
}

fn two() -> (String, String) {
    ("w".into(), "one".into())
}

#[test]
fn each_service_has_its_own_ids_and_words() {
    let (w, n) = two();
    let all = [
        (Work::ComputeWritten(w.clone(), n.clone()), "11111111-", "InProgress"),
        (Work::ScheduleWritten(w.clone(), n.clone()), "s:guid:", "Creating"),
        (Work::ScheduleDeleted(w.clone(), n.clone()), "s:guid:", "Deleting"),
        (Work::EndpointDeleted(w.clone(), n.clone()), "be:guid:", "Updating"),
        (Work::DeploymentWritten(w.clone(), n.clone(), n.clone()), "bd:guid:", "Updating"),
        (Work::JobCanceled(w, n), "jc:guid:one", "Updating"),
    ];
    for (work, id, word) in all {
        let operation = operation(work.service(), work);
        assert!(operation.id.starts_with(id), "{}", operation.id);
        assert_eq!(body(&operation)["status"], word);
    }
}

#[test]
fn a_clusters_operation_tells_its_status_alone_and_has_a_signed_url() {
    let (w, n) = two();
    let mut operation = operation(Service::Compute, Work::ComputeWritten(w, n));
    assert_eq!(body(&operation), json!({ "status": "InProgress" }));
    let (status, _) = operation.urls("https://management.azure.com", "2025-12-01");
    assert!((3_000..=4_000).contains(&status.len()), "{}", status.len());
    operation.end(Timestamp::UNIX_EPOCH, Err(Failure::new("BadRequest", "no")));
    let failed = json!({ "status": "Failed", "error": { "code": "BadRequest", "message": "no" } });
    assert_eq!(body(&operation), failed);
}

#[test]
fn a_schedules_operation_names_its_result_and_has_times_at_its_end() {
    let (w, n) = two();
    let mut operation = operation(Service::Schedule, Work::ScheduleWritten(w, n));
    let going_on = body(&operation);
    assert!(going_on["id"].as_str().unwrap().contains("/mfeOperationResults/s:guid:"), "{going_on}");
    assert_eq!(going_on.as_object().unwrap().len(), 3);
    operation.end(Timestamp::UNIX_EPOCH, Ok(()));
    assert!(body(&operation)["endTime"].is_string());
}

#[test]
fn nothing_asks_for_a_wait_and_what_is_accepted_is_null() {
    let (w, n) = two();
    let deletion = operation(Service::Endpoint, Work::EndpointDeleted(w.clone(), n.clone()));
    let answer = deletion.led_to(Answer::empty(StatusCode::ACCEPTED), "https://b", "v");
    assert_eq!(&answer.body[..], b"null");
    assert!(!answer.headers.contains_key("retry-after"));
    assert!(answer.headers["location"].to_str().unwrap().contains("/mfeOperationResults/be:"));
    let made = operation(Service::Endpoint, Work::EndpointWritten(w.clone(), n.clone()));
    let answer = made.led_to(Answer::json(StatusCode::CREATED, &json!({})), "https://b", "v");
    assert!(answer.headers["location"].to_str().unwrap().ends_with("/things/one?api-version=v"));
    let deletion = operation(Service::Compute, Work::ComputeDeleted(w, n));
    let answer = deletion.led_to(Answer::empty(StatusCode::ACCEPTED), "https://b", "v");
    assert!(answer.body.is_empty() && !answer.headers.contains_key("location"));
}
