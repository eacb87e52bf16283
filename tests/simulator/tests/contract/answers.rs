//! Answers: what Azure gives is accepted, and what it does not give is found.

use azureml_simulator::contract::{Call, Contract, Violation};
use serde_json::{Value, json};

use super::refusals::section;
use super::support::{change, contract, texts};

const WORKSPACE: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/team";
const REGISTRY: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/team01";

/// The answer to the PUT of a cluster has this violation.
fn is_found(status: u16, body: &Value, path: &str, message: &str) {
    let found = answer("PUT", "/computes/cpu", status, body).unwrap_err();
    let fits = |violation: &Violation| violation.path == path && violation.message.starts_with(message);
    assert!(found.iter().any(fits), "{message}: {found:#?}");
}

fn answer(method: &str, target: &str, status: u16, body: &Value) -> Result<(), Vec<Violation>> {
    let root =
        if target.starts_with("/taskRuns") || target.starts_with("/runs") { REGISTRY } else { WORKSPACE };
    let version = if root == REGISTRY { "2025-03-01-preview" } else { "2025-12-01" };
    let target = format!("{root}{target}?api-version={version}&underlyingResourceAction=Delete");
    contract().check_response(&Call { method, target: &target, body: None }, status, Some(body))
}

/// A cluster as Azure shows it, with `null` for what is not set.
fn compute() -> Value {
    json!({
        "id": format!("{WORKSPACE}/computes/cpu"), "name": "cpu", "location": "westeurope", "tags": {},
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "properties": {
            "computeType": "AmlCompute", "provisioningState": "Succeeded", "provisioningErrors": null,
            "createdOn": "2026-01-02T03:04:05.678+00:00", "modifiedOn": "2026-01-02T03:04:05.678Z",
            "isAttachedCompute": false, "resourceId": null, "computeLocation": "westeurope", "disableLocalAuth": true,
            "properties": {
                "vmSize": "STANDARD_DS3_V2", "vmPriority": "LowPriority", "osType": "Linux", "subnet": null,
                "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M"},
                "remoteLoginPortPublicAccess": "Disabled", "allocationState": "Steady", "errors": null,
                "allocationStateTransitionTime": "2026-01-02T03:04:05Z", "currentNodeCount": 0,
                "targetNodeCount": 0, "nodeStateCounts": {"idleNodeCount": 0, "runningNodeCount": 0},
            },
        },
    })
}

#[test]
fn answers_of_azure_are_accepted() {
    let run = json!({
        "id": format!("{REGISTRY}/runs/ca1"), "name": "ca1", "type": "Microsoft.ContainerRegistry/registries/runs",
        "properties": {
            "runId": "ca1", "status": "Succeeded", "provisioningState": "Succeeded", "runType": "QuickRun",
            "createTime": "2026-01-02T03:04:05.678Z", "platform": {"os": "Linux", "architecture": "amd64"},
            "outputImages": [{"registry": "r.azurecr.io", "repository": "a/b", "tag": "t", "digest": "sha256:1"}],
        },
    });
    let error = json!({"error": {"code": "ResourceNotFound", "message": "…", "target": null, "details": [],
        "additionalInfo": [{"type": "ComponentName", "info": {"value": "managementfrontend"}}]}});
    let operation =
        json!({"id": "/x", "name": "x", "status": "InProgress", "startTime": "2026-01-02T03:04:05Z"});
    for (method, target, status, body) in [
        ("GET", "/computes/cpu", 200, compute()),
        ("GET", "/computes", 200, json!({"value": [compute()], "nextLink": null})),
        ("GET", "/computes/none", 404, error),
        ("PUT", "/computes/cpu", 201, compute()),
        ("DELETE", "/computes/cpu", 202, Value::Null),
        ("GET", "/runs/ca1", 200, run),
        ("POST", "/computes/cpu/listNodes", 200, json!({"nodes": [{"nodeId": "a", "nodeState": "idle"}]})),
    ] {
        assert_eq!(answer(method, target, status, &body), Ok(()), "{method} {target}");
    }
    let target = "/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/westeurope\
        /mfeOperationsStatus/x?api-version=2025-12-01";
    let poll = Call { method: "GET", target, body: None };
    assert_eq!(contract().check_response(&poll, 200, Some(&operation)), Ok(()));
}

#[test]
fn answers_with_more_or_less_than_is_published_are_found() {
    for case in section("answers_with_a_wrong_property_are_found") {
        let [pointer, value, path, message] = case.splitn(4, " | ").collect::<Vec<_>>()[..] else {
            panic!("not a case: {case}");
        };
        let mut body = compute();
        change(&mut body, pointer, Some(serde_json::from_str(value).unwrap()));
        is_found(200, &body, path, message);
    }
    is_found(200, &json!([]), "", "Error converting value [] to type 'ComputeResource'");
    is_found(200, &Value::Null, "", "The answer 200 has no body, 'ComputeResource' is published.");
    is_found(202, &Value::Null, "status", "The status 202 is not published, only 200, 201.");
    let plain = json!({"code": "Conflict", "message": "…"});
    is_found(409, &plain, "code", "Could not find member 'code' on object of type 'ErrorResponse'.");
    let found = answer("DELETE", "/computes/cpu", 202, &json!({"status": "x"})).unwrap_err();
    assert_eq!(found[0].message, "The answer 202 has a body, none is published.");
}

#[test]
fn azure_answers_in_the_published_words_whatever_it_was_asked_with() {
    let endpoint = json!({"location": "westeurope", "properties": {"authMode": "aadToken"}});
    let found = texts(answer("GET", "/batchEndpoints/be", 200, &endpoint));
    assert!(found[0].starts_with("The value \"aadToken\" of 'BatchEndpoint.authMode'"), "{found:#?}");
}

#[test]
fn the_secrets_of_a_datastore_are_not_shown() {
    let store = json!({"properties": {"datastoreType": "AzureBlob", "accountName": "a", "containerName": "c",
        "credentials": {"credentialsType": "AccountKey"}}});
    assert_eq!(answer("GET", "/datastores/workspaceblobstore", 200, &store), Ok(()));
    let target = format!("{WORKSPACE}/datastores/workspaceblobstore?api-version=2025-12-01");
    let get = Call { method: "GET", target: &target, body: None };
    let strict = Contract::strict().unwrap().check_response(&get, 200, Some(&store)).unwrap_err();
    assert_eq!(strict[0].message, "The secrets field is required on 'AccountKeyDatastoreCredentials'.");
}
