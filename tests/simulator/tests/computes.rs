//! Clusters: how they come, change, scale and go.

use crate::support;

use azureml_simulator::{Options, Times};
use reqwest::StatusCode;
use serde_json::json;
use support::{Sim, cluster};

#[tokio::test]
async fn a_cluster_is_created_by_an_operation_and_then_succeeds() {
    let sim = Sim::frozen().await;
    let put = sim.put("computes/cpu-cluster", &cluster(0, 4)).await;
    assert_eq!(put.status, StatusCode::CREATED);
    assert_eq!(put.body["properties"]["provisioningState"], "Creating");
    assert!(!put.headers.contains_key("retry-after"), "nothing of Azure ML asks for a wait");
    let early = &put.body["properties"]["properties"];
    for unknown in ["currentNodeCount", "targetNodeCount", "nodeStateCounts", "allocationState"] {
        assert!(early[unknown].is_null(), "{unknown} is not known before the cluster is ready: {early}");
    }
    let operation = put.header("azure-asyncoperation").to_owned();
    assert_eq!(sim.get(&operation).await.body["status"], "InProgress");

    sim.pass(1);
    assert_eq!(sim.get(&operation).await.body["status"], "Succeeded");
    let got = sim.get("computes/cpu-cluster").await.body;
    assert_eq!(got["id"], format!("{}/computes/cpu-cluster", sim.workspace()));
    assert_eq!(got["properties"]["provisioningState"], "Succeeded");
    assert_eq!(got["properties"]["properties"]["vmSize"], "STANDARD_DS3_V2");
    assert_eq!(got["properties"]["properties"]["allocationState"], "Steady");
    assert_eq!(got["tags"], json!({ "owner": "test" }));
}

#[tokio::test]
async fn paths_are_read_in_any_case_and_ids_come_back_as_they_were_made() {
    let sim = Sim::frozen().await;
    sim.put("computes/Cpu", &cluster(0, 1)).await;
    sim.pass(1);
    let got = sim.get(&sim.workspace().to_uppercase()).await;
    assert_eq!(got.body["id"], sim.workspace());
    let got = sim.get("COMPUTES/cPU").await.body;
    assert_eq!(got["id"], format!("{}/computes/Cpu", sim.workspace()));
}

#[tokio::test]
async fn scale_tags_and_identity_change_in_place_and_the_rest_does_not() {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 4).await;
    let mut body = cluster(0, 8);
    body["tags"] = json!({ "owner": "other" });
    body["identity"] = json!({ "type": "Userassigned", "userAssignedIdentities": { "/uai1": {} } });
    let put = sim.put("computes/cpu", &body).await;
    assert_eq!(
        (put.status, &put.body["properties"]["provisioningState"]),
        (StatusCode::CREATED, &json!("Creating")),
        "a change is answered as a creation"
    );
    sim.pass(1);
    let got = sim.get("computes/cpu").await.body;
    assert_eq!(got["properties"]["properties"]["scaleSettings"]["maxNodeCount"], 8);
    assert_eq!(got["tags"]["owner"], "other");
    assert_eq!(got["identity"]["type"], "UserAssigned");
    assert!(got["identity"]["userAssignedIdentities"]["/uai1"]["clientId"].is_string());

    body["properties"]["properties"]["vmSize"] = json!("Standard_NC6s_v3");
    let refused = sim.put("computes/cpu", &body).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.message().contains("vmSize"), "{refused:?}");
}

#[tokio::test]
async fn what_get_shows_can_be_put_back() {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 4).await;
    let mut body = sim.get("computes/cpu").await.body;
    body["properties"]["properties"]["scaleSettings"]["maxNodeCount"] = json!(2);
    assert_eq!(sim.put("computes/cpu", &body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_patch_changes_scale_alone_and_begins_nothing_when_nothing_changes() {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 4).await;
    let patch = |max: u32| {
        json!({ "properties": { "properties": { "scaleSettings": {
            "minNodeCount": 0, "maxNodeCount": max, "nodeIdleTimeBeforeScaleDown": "PT2M" } } } })
    };
    let same = sim.patch("computes/cpu", &patch(4)).await;
    assert_eq!((same.status, same.header("azure-asyncoperation")), (StatusCode::OK, ""));
    let changed = sim.patch("computes/cpu", &patch(2)).await;
    assert!(changed.header("azure-asyncoperation").contains("computeOperationsStatus"));
    assert_eq!(
        sim.patch("computes/cpu", &patch(3)).await.status,
        StatusCode::CONFLICT,
        "one operation at a time"
    );
    assert_eq!(sim.patch("computes/cpu", &json!({ "tags": {} })).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_cluster_is_deleted_by_an_operation_when_the_action_is_named() {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 4).await;
    assert_eq!(sim.delete("computes/cpu").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        sim.delete("computes/cpu?underlyingResourceAction=Detach").await.status,
        StatusCode::BAD_REQUEST
    );
    let deleted = sim.delete("computes/cpu?underlyingResourceAction=Delete").await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED);
    assert_eq!(sim.get("computes/cpu").await.body["properties"]["provisioningState"], "Deleting");
    assert!(!deleted.headers.contains_key("location"), "a cluster's deletion has a status alone");
    let operation = deleted.header("azure-asyncoperation").to_owned();
    assert!((3_000..4_000).contains(&operation.len()), "{} characters", operation.len());
    assert_eq!(sim.get(&operation).await.body, json!({ "status": "InProgress" }));
    sim.pass(1);
    assert_eq!(sim.get(&operation).await.body["status"], "Succeeded");
    let gone = sim.get("computes/cpu").await;
    assert_eq!((gone.status, gone.body), (StatusCode::NOT_FOUND, json!("")));
    assert!(gone.headers.contains_key("x-ms-request-id"), "it is Azure's all the same");
    assert_eq!(
        sim.delete("computes/cpu?underlyingResourceAction=Delete").await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn the_smallest_number_of_nodes_is_started() {
    let sim = Sim::frozen().await;
    sim.put("computes/cpu", &cluster(2, 4)).await;
    sim.pass(1);
    sim.pass(1);
    let got = sim.get("computes/cpu").await.body;
    assert_eq!(got["properties"]["properties"]["nodeStateCounts"]["idleNodeCount"], 2);
    let nodes = sim.post("computes/cpu/listNodes").await.body;
    assert_eq!(nodes["nodes"].as_array().map(Vec::len), Some(2));
    assert_eq!(nodes["nodes"][0]["nodeState"], "idle");
}

#[tokio::test]
async fn lists_come_in_pages_whose_links_are_whole() {
    let sim = Sim::with(Options { virtual_clock: true, page_size: 2, ..Options::default() }).await;
    for name in ["aa1", "bb2", "cc3", "dd4", "ee5"] {
        sim.put(&format!("computes/{name}"), &cluster(0, 1)).await;
    }
    let (mut names, mut next, mut pages) = (Vec::new(), "computes".to_owned(), 0);
    while !next.is_empty() {
        let page = sim.get(&next).await.body;
        names.extend(
            page["value"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()),
        );
        next = page["nextLink"].as_str().unwrap_or_default().to_owned();
        pages += 1;
    }
    assert_eq!((names.join(" ").as_str(), pages), ("aa1 bb2 cc3 dd4 ee5", 3));
}

#[tokio::test]
async fn more_clusters_than_a_region_has_end_in_quota() {
    let times = Times { answers: 0.0, ..Times::default() };
    let sim = Sim::with(Options { virtual_clock: true, throttle: false, times, ..Options::default() }).await;
    for number in 0..=500 {
        let put = sim.put(&format!("computes/cluster{number}"), &cluster(0, 1)).await;
        assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    }
    sim.pass(1);
    let state =
        async |number: u32| sim.get(&format!("computes/cluster{number}")).await.body["properties"].clone();
    let there = state(499).await;
    assert_eq!(there["provisioningState"], "Succeeded", "{:?}", sim.get("computes/cluster499").await);
    let last = state(500).await;
    assert_eq!(last["provisioningState"], "Failed");
    assert_eq!(last["provisioningErrors"][0]["error"]["code"], "QuotaExceeded");
}

#[tokio::test]
async fn an_operation_fails_when_a_fault_says_so() {
    let sim = Sim::frozen().await;
    let fault = json!({ "match": { "path": "computes/cpu$" }, "when": "outcome",
                        "do": { "fail": { "code": "QuotaExceeded", "message": "no cores left" } }, "times": 1 });
    sim.simulator.fault(fault).unwrap();
    let put = sim.put("computes/cpu", &cluster(0, 4)).await;
    let operation = put.header("azure-asyncoperation").to_owned();
    sim.pass(1);
    let status = sim.get(&operation).await.body;
    assert_eq!((&status["status"], &status["error"]["code"]), (&json!("Failed"), &json!("QuotaExceeded")));
    let got = sim.get("computes/cpu").await.body;
    assert_eq!(got["properties"]["provisioningState"], "Failed");
    assert_eq!(got["properties"]["provisioningErrors"][0]["error"]["message"], "no cores left");
    let again = sim.put("computes/cpu", &cluster(0, 4)).await;
    assert_eq!(again.status, StatusCode::CREATED, "it can be tried again");
}

#[tokio::test]
async fn quota_that_is_missing_when_nodes_are_given_shows_in_a_cluster_that_stays_ready() {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 4).await;
    let errors =
        json!([{ "error": { "code": "ClusterCoreQuotaReached", "message": "Maximum allowed: 100" } }]);
    let patch = json!({ "properties": { "properties": { "errors": errors } } });
    sim.control(reqwest::Method::POST, "computes/rg/ws/cpu", patch).await;
    let got = sim.get("computes/cpu").await.body;
    assert_eq!(got["properties"]["provisioningState"], "Succeeded");
    assert!(got["properties"]["provisioningErrors"].is_null());
    assert_eq!(got["properties"]["properties"]["errors"][0]["error"]["code"], "ClusterCoreQuotaReached");
}

#[tokio::test]
async fn somebody_changes_a_cluster_in_the_portal() {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 4).await;
    let patch = json!({ "properties": { "properties": { "scaleSettings": { "maxNodeCount": 9 } } }, "tags": { "by": "hand" } });
    let done = sim.control(reqwest::Method::POST, "computes/rg/ws/cpu", patch).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    let got = sim.get("computes/cpu").await.body;
    assert_eq!(got["properties"]["properties"]["scaleSettings"]["maxNodeCount"], 9);
    assert_eq!(got["tags"], json!({ "owner": "test", "by": "hand" }));
    assert_eq!(got["properties"]["provisioningState"], "Succeeded");
}
