//! Registries as they were recorded: short first answers, polls below the task run, the words of their own errors.

use crate::support;

use azureml_simulator::{Options, WorkspaceSpec};
use reqwest::{Method, StatusCode};
use serde_json::json;
use support::Sim;
use support::acr::Acr;

#[tokio::test]
async fn a_quick_build_tells_little_at_first_and_is_cancelled_also_when_it_has_ended() {
    let acr = Acr::new(Options::default()).await;
    let request = acr.request("FROM r:1\n").await;
    let first = acr.call(Method::POST, "scheduleRun", Some(&request)).await;
    let properties = first.body["properties"].as_object().unwrap();
    let keys: Vec<&String> = properties.keys().collect();
    assert_eq!(keys, ["isArchiveEnabled", "lastUpdatedTime", "provisioningState", "runId", "status"]);
    let id = properties["runId"].as_str().unwrap();
    let got = acr.call(Method::GET, &format!("runs/{id}"), None).await.body;
    assert_eq!(got["properties"]["runType"], "QuickRun", "a build is one too");
    assert!(got["properties"]["outputImages"].is_null(), "nothing is pushed before the end");
    acr.sim.pass(1);
    let cancel = acr.call(Method::POST, &format!("runs/{id}/cancel"), None).await;
    assert_eq!((cancel.status, cancel.body), (StatusCode::OK, json!("")));
}

#[tokio::test]
async fn a_task_run_is_polled_below_itself_and_says_its_status_alone() {
    let acr = Acr::new(Options::default()).await;
    let request = acr.request("FROM r:1\n").await;
    let put = acr.task_run("build-1", &request, None).await;
    let run = put.body["properties"]["runResult"]["properties"]["runId"].clone();
    let poll = put.header("azure-asyncoperation").to_owned();
    assert!(
        poll.contains(&format!("/taskRuns/build-1/operationStatuses/{}?", run.as_str().unwrap())),
        "{poll}"
    );
    let going_on = acr.sim.get(&poll).await;
    assert_eq!(going_on.body, json!({ "status": "Creating" }));
    assert!(
        going_on.header("azure-asyncoperation").matches("/operationStatuses/").count() == 2,
        "as recorded"
    );
    acr.sim.pass(1);
    assert_eq!(acr.sim.get(&poll).await.body, json!({ "status": "Succeeded" }));
    let body = json!({ "properties": { "runRequest": request } });
    let again = acr.call(Method::PATCH, "taskRuns/build-1", Some(&body)).await;
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(
        again.body["properties"]["runResult"]["properties"]["runId"], run,
        "the same does not run again"
    );
}

#[tokio::test]
async fn a_registry_with_network_rules_takes_no_push_of_a_build_without_an_agent_pool() {
    let spec = WorkspaceSpec { registry_restricted: true, ..WorkspaceSpec::new("rg", "ws") };
    let acr = Acr::new(Options { workspaces: vec![spec], ..Options::default() }).await;
    let shown = acr.sim.get(&format!("{}?api-version=2025-11-01", acr.id)).await.body;
    assert_eq!(shown["properties"]["networkRuleSet"]["defaultAction"], "Deny");
    assert_eq!(shown["properties"]["networkRuleBypassAllowedForTasks"], false);
    let mut request = acr.request("FROM r:1\n").await;
    acr.task_run("outside", &request, None).await;
    request["agentPoolName"] = json!("inside");
    acr.task_run("inside", &request, None).await;
    acr.sim.pass(1);
    for (name, state) in [("outside", "Failed"), ("inside", "Succeeded")] {
        let got = acr.call(Method::GET, &format!("taskRuns/{name}"), None).await.body;
        assert_eq!(got["properties"]["provisioningState"], state, "{got}");
    }
}

#[tokio::test]
async fn a_registrys_own_errors_are_as_recorded() {
    let sim = Sim::start().await;
    let workspace = sim.get("").await.body;
    let id = workspace["properties"]["containerRegistry"].as_str().unwrap();
    let login = format!("{}.azurecr.io", id.rsplit('/').next().unwrap());
    let path = |rest: &str| format!("/v2/{rest}?ns={login}&api-version=");
    let challenged = sim.get(&path("op/env/manifests/1")).await;
    assert_eq!(challenged.status, StatusCode::UNAUTHORIZED);
    let error = &challenged.body["errors"][0];
    assert_eq!(error["detail"], json!([{ "Type": "repository", "Name": "op/env", "Action": "pull" }]));
    assert!(challenged.header("www-authenticate").contains("scope=\"repository:op/env:pull\""));
    assert_eq!(challenged.header("docker-distribution-api-version"), "registry/2.0");
    let upper = sim.get(&path("Op/manifests/1")).await;
    assert_eq!((upper.status, upper.body), (StatusCode::NOT_FOUND, json!("404 page not found\n")));
    let url = sim.url("/oauth2/exchange?api-version=2021-07-01");
    let form = [("grant_type", "access_token"), ("service", login.as_str()), ("access_token", "x")];
    let refused = support::answer(sim.http.post(url).form(&form).send().await.unwrap()).await;
    assert_eq!((refused.status, refused.body), (StatusCode::UNAUTHORIZED, json!("")));
}
