//! Batch endpoints: a stable URI, deployments of pipeline components behind it, and jobs by invocation.

use crate::support;

use azureml_simulator::{Options, WorkspaceSpec};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::Sim;

/// A simulator with the endpoint `iris` and the pipeline component `inner:1`.
async fn published() -> Sim {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 2).await;
    let step = sim.component("work", "run").await;
    let spec = json!({
        "type": "pipeline", "name": "inner", "version": "1", "display_name": "inner",
        "inputs": { "n": { "type": "integer", "default": "7" } },
        "jobs": { "only": { "type": "command", "name": "only", "componentId": step,
            "inputs": { "n": { "job_input_type": "literal", "value": "${{parent.inputs.n}}" } } } },
    });
    let put =
        sim.put("components/inner/versions/1", &json!({ "properties": { "componentSpec": spec } })).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    let put = sim.put("batchEndpoints/iris", &endpoint(None)).await;
    assert_eq!(
        (put.status, &put.body["properties"]["provisioningState"]),
        (StatusCode::CREATED, &json!("Creating"))
    );
    assert_eq!(put.body["properties"]["scoringUri"], Value::Null);
    sim.pass(1);
    sim
}

fn endpoint(default: Option<&str>) -> Value {
    let mut body = json!({ "location": "westeurope", "tags": { "owner": "me" },
                           "properties": { "authMode": "AADToken", "description": "iris" } });
    if let Some(default) = default {
        body["properties"]["defaults"] = json!({ "deploymentName": default });
    }
    body
}

fn deployment(sim: &Sim) -> Value {
    json!({ "location": "westeurope", "tags": {}, "properties": { "deploymentConfiguration": {
        "deploymentConfigurationType": "PipelineComponent",
        "componentId": { "referenceType": "Id", "assetId": format!("{}/components/inner/versions/1", sim.workspace()) },
        "settings": { "default_compute": format!("{}/computes/cpu", sim.workspace()) },
        "tags": { "from": "endpoint" },
    } } })
}

async fn deploy(sim: &Sim, name: &str) {
    let put = sim.put(&format!("batchEndpoints/iris/deployments/{name}"), &deployment(sim)).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    sim.pass(1);
}

#[tokio::test]
async fn the_default_is_flipped_by_a_whole_put_and_only_to_what_is_ready() {
    let sim = published().await;
    let young = sim.put("batchEndpoints/young", &endpoint(None)).await.body;
    assert!(young["properties"]["scoringUri"].is_null(), "there is none while it is made: {young}");
    let early = sim.put("batchEndpoints/iris", &endpoint(Some("d-1"))).await;
    assert_eq!(early.status, StatusCode::BAD_REQUEST);
    deploy(&sim, "d-1").await;
    let flipped = sim.put("batchEndpoints/iris", &endpoint(Some("d-1"))).await;
    assert_eq!(flipped.status, StatusCode::CREATED, "201 for a change too: {flipped:?}");
    assert_eq!(sim.put("batchEndpoints/iris", &endpoint(Some("d-1"))).await.status, StatusCode::CONFLICT);
    sim.pass(1);
    let got = sim.get("batchEndpoints/iris").await.body;
    assert_eq!(got["properties"]["defaults"]["deploymentName"], "d-1");
    assert_eq!(got["properties"]["provisioningState"], "Succeeded");
    let uri = got["properties"]["scoringUri"].as_str().unwrap().to_owned();
    deploy(&sim, "d-2").await;
    sim.put("batchEndpoints/iris", &endpoint(Some("d-2"))).await;
    sim.pass(1);
    let got = sim.get("batchEndpoints/iris").await.body;
    assert_eq!(got["properties"]["scoringUri"], uri, "the URI stays");
    let refused = sim.delete("batchEndpoints/iris/deployments/d-2").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "the default cannot be deleted");
    assert_eq!(sim.delete("batchEndpoints/iris/deployments/d-1").await.status, StatusCode::ACCEPTED);
    sim.pass(1);
    assert_eq!(sim.get("batchEndpoints/iris/deployments/d-1").await.status, StatusCode::NOT_FOUND);
    assert_eq!(sim.delete("batchEndpoints/iris").await.status, StatusCode::ACCEPTED);
    sim.pass(1);
    let left = sim.get("batchEndpoints").await.body;
    let names: Vec<_> = left["value"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["young"]);
}

#[tokio::test]
async fn an_endpoint_has_room_for_twenty_deployments() {
    let sim = published().await;
    for number in 0..20 {
        deploy(&sim, &format!("d-{number}x")).await;
    }
    let over = sim.put("batchEndpoints/iris/deployments/d-more", &deployment(&sim)).await;
    assert_eq!(over.status, StatusCode::BAD_REQUEST);
    assert_eq!(over.chain(), ["UserError", "QuotaExceeded"]);
}

#[tokio::test]
async fn a_deployment_refers_only_to_what_exists() {
    let sim = published().await;
    let mut body = deployment(&sim);
    body["properties"]["deploymentConfiguration"]["componentId"]["assetId"] =
        json!(format!("{}/components/inner/versions/9", sim.workspace()));
    assert_eq!(sim.put("batchEndpoints/iris/deployments/d-1", &body).await.status, StatusCode::BAD_REQUEST);
    let mut body = deployment(&sim);
    body["properties"]["deploymentConfiguration"]["settings"]["default_compute"] = json!("azureml:none");
    assert_eq!(sim.put("batchEndpoints/iris/deployments/d-1", &body).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(sim.get("batchEndpoints/none/deployments").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn names_are_unique_in_a_region_over_all_workspaces() {
    let options = Options {
        virtual_clock: true,
        workspaces: vec![
            WorkspaceSpec::new("rg", "ws"),
            WorkspaceSpec::new("rg", "near"),
            WorkspaceSpec { region: Some("northeurope".into()), ..WorkspaceSpec::new("rg", "far") },
        ],
        ..Options::default()
    };
    let sim = Sim::with(options).await;
    let put = async |workspace: &str, location: &str| {
        let mut body = endpoint(None);
        body["location"] = json!(location);
        let path =
            format!("{}/batchEndpoints/iris", sim.workspace().replace("/ws", &format!("/{workspace}")));
        sim.put(&path, &body).await.status
    };
    assert_eq!(put("ws", "westeurope").await, StatusCode::CREATED);
    assert_eq!(put("near", "westeurope").await, StatusCode::CONFLICT);
    assert_eq!(put("far", "northeurope").await, StatusCode::CREATED);
}

#[tokio::test]
async fn an_invocation_makes_a_job_of_the_default_or_the_named_deployment() {
    let sim = published().await;
    deploy(&sim, "d-1").await;
    let uri =
        sim.get("batchEndpoints/iris").await.body["properties"]["scoringUri"].as_str().unwrap().to_owned();
    let token = sim.token_for("caller", "https://ml.azure.com/.default").await;
    let body = json!({ "properties": {
        "InputData": { "n": { "JobInputType": "Literal", "Value": 9 } }, "properties": { "experimentName": "called" } } });
    let invoke = async |token: &str, deployment: Option<&str>| {
        let mut request = sim.http.post(&uri).bearer_auth(token).json(&body);
        if let Some(deployment) = deployment {
            request = request.header("azureml-model-deployment", deployment);
        }
        support::answer(request.send().await.unwrap()).await
    };
    assert_eq!(invoke(&sim.token, None).await.status, StatusCode::UNAUTHORIZED, "the audience is Azure ML's");
    assert_eq!(invoke(&token, None).await.status, StatusCode::BAD_REQUEST, "no default yet");
    let made = invoke(&token, Some("d-1")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let name = made.body["name"].as_str().unwrap();
    assert_eq!(made.body["id"], format!("{}/batchEndpoints//jobs/{name}", sim.workspace()), "no endpoint");
    assert_eq!(made.header("azureml-model-deployment"), "d-1");
    assert!(made.header("location").contains("/batchEndpoints/iris/deployments/d-1?"));
    assert_eq!(made.body["properties"]["inputData"]["n"]["value"], "9");
    assert_eq!(sim.over(name).await, "Completed");
    let job = sim.get(&format!("jobs/{name}")).await.body;
    assert_eq!(job["properties"]["inputs"]["n"]["value"], "9");
    assert_eq!(
        (&job["properties"]["experimentName"], &job["properties"]["tags"]["from"]),
        (&json!("called"), &json!("endpoint"))
    );
    let status = sim.send_as(&token, Method::GET, &format!("{uri}/{name}"), None).await;
    assert_eq!(status.body["properties"]["status"], "Completed");
    let list = format!(
        "/mferp/managementfrontend{}/batchEndpoints/iris/jobs?api-version=2020-09-01-dataplanepreview",
        sim.workspace()
    );
    assert_eq!(sim.get(&list).await.body["value"][0]["name"], name);
}
