//! The front door: tokens, versions, limits, the log, faults and the clock.

use crate::support;

use azureml_simulator::{Options, WorkspaceSpec};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;
use support::{Sim, answer, cluster};

#[tokio::test]
async fn a_request_needs_a_token_of_this_tenant_for_this_audience() {
    let sim = Sim::start().await;
    let bare = answer(sim.http.get(sim.url("computes")).send().await.unwrap()).await;
    assert_eq!((bare.status, bare.code()), (StatusCode::UNAUTHORIZED, "AuthenticationFailed"));
    assert!(bare.header("www-authenticate").contains(sim.simulator.tenant_id()));
    let other = sim.token_for("test-app", "https://ml.azure.com/.default").await;
    let wrong = sim.send_as(&other, Method::GET, "computes", None).await;
    assert_eq!(wrong.code(), "InvalidAuthenticationTokenAudience");
    assert_eq!(
        sim.send_as("a.b.c", Method::GET, "computes", None).await.code(),
        "InvalidAuthenticationToken"
    );
    let public = sim.token_for("test-app", "https://management.azure.com/.default").await;
    assert_eq!(sim.send_as(&public, Method::GET, "computes", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_finds_the_token_endpoint_and_the_cloud_by_discovery() {
    let sim = Sim::start().await;
    let (base, tenant) = (sim.simulator.endpoint(), sim.simulator.tenant_id());
    let get =
        async |path: String| answer(sim.http.get(format!("{base}{path}")).send().await.unwrap()).await.body;
    let openid = get(format!("/{tenant}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(openid["token_endpoint"], format!("{base}/{tenant}/oauth2/v2.0/token"));
    let instance = get("/common/discovery/instance?api-version=1.1".into()).await;
    assert!(instance["metadata"][0]["aliases"].is_array());
    assert!(get("/metadata/endpoints?api-version=2019-05-01".into()).await.is_array());
    assert_eq!(get("/metadata/endpoints?api-version=2022-09-01".into()).await["resourceManager"], base);
}

#[tokio::test]
async fn token_requests_are_refused_as_entra_refuses_them() {
    let apps = [("known".to_owned(), "right".to_owned())].into();
    let sim = Sim::with(Options { apps, ..Options::default() }).await;
    let url = format!("{}/{}/oauth2/v2.0/token", sim.simulator.endpoint(), sim.simulator.tenant_id());
    let ask =
        async |form: &[(&str, &str)]| answer(sim.http.post(&url).form(form).send().await.unwrap()).await;
    let grant = ("grant_type", "client_credentials");
    let scope = ("scope", "https://management.azure.com/.default");
    let wrong = ask(&[grant, scope, ("client_id", "known"), ("client_secret", "wrong")]).await;
    assert_eq!((wrong.status, &wrong.body["error_codes"][0]), (StatusCode::UNAUTHORIZED, &json!(7_000_215)));
    let none = ask(&[grant, scope, ("client_id", "known")]).await;
    assert_eq!(none.body["error"], "invalid_client");
    let unscoped = ask(&[grant, ("scope", "https://x"), ("client_id", "a"), ("client_secret", "b")]).await;
    assert_eq!(unscoped.body["error"], "invalid_scope");
    let stranger = url.replace(sim.simulator.tenant_id(), "22222222-2222-2222-2222-222222222222");
    let form = [grant, scope, ("client_id", "a"), ("client_secret", "b")];
    let stranger = answer(sim.http.post(stranger).form(&form).send().await.unwrap()).await;
    assert_eq!(stranger.body["error_codes"][0], 90002);
}

#[tokio::test]
async fn missing_parents_are_told_apart() {
    let sim = Sim::start().await;
    let workspace = sim.workspace();
    for (path, code) in [
        (workspace.replace("/ws", "/other"), "ResourceNotFound"),
        (format!("{}/computes/c", workspace.replace("/ws", "/other")), "ParentResourceNotFound"),
        (workspace.replace("/rg/", "/nowhere/"), "ResourceGroupNotFound"),
        (workspace.replace(sim.simulator.subscription_id(), "s"), "SubscriptionNotFound"),
        (format!("{workspace}/computes/c1-x"), ""),
    ] {
        let got = sim.get(&path).await;
        assert_eq!((got.status, got.code()), (StatusCode::NOT_FOUND, code), "{path}");
    }
}

#[tokio::test]
async fn an_api_version_is_needed_and_has_a_form() {
    let sim = Sim::start().await;
    let none = sim.get(&format!("{}{}", sim.simulator.endpoint(), sim.workspace())).await;
    assert_eq!(none.code(), "MissingApiVersionParameter");
    let bad = sim.get("computes?api-version=latest").await;
    assert_eq!(bad.code(), "InvalidApiVersionParameter");
}

#[tokio::test]
async fn writes_are_limited_and_the_headers_count_down() {
    let sim = Sim::frozen().await;
    let first = sim.put("computes/cpu", &cluster(0, 1)).await;
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-writes"), "199");
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-global-writes"), "2999");
    for _ in 0..199 {
        sim.put("computes/cpu", &cluster(0, 1)).await;
    }
    let refused = sim.put("computes/cpu", &cluster(0, 1)).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    assert_eq!(sim.get("computes").await.status, StatusCode::OK, "reads have a bucket of their own");
    sim.pass(1);
    assert_ne!(sim.put("computes/cpu", &cluster(0, 1)).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sim.simulator.counters()["throttled"], 1);
}

#[tokio::test]
async fn the_log_tells_who_asked_for_what_and_keeps_no_secret() {
    let sim = Sim::start().await;
    sim.put("computes/cpu", &cluster(0, 1)).await;
    let log = sim
        .control(Method::GET, "requests?path=/computes/cpu&client=test-app&method=PUT", json!(null))
        .await
        .body;
    let entry = &log["value"][0];
    assert_eq!((&entry["status"], &entry["client"]), (&json!(201), &json!("test-app")));
    assert_eq!(entry["operation"], "PUT workspaces/computes");
    assert_eq!(entry["body"]["properties"]["computeType"], "AmlCompute");
    let whole = sim.control(Method::GET, "requests", json!(null)).await.body.to_string();
    assert!(!whole.contains(&sim.token) && !whole.contains("hush"), "tokens and secrets are cut");
    assert_eq!(sim.simulator.counters()["byOperation"]["PUT workspaces/computes"], 1);
    let since = log["last"].as_u64().unwrap();
    let rest = sim.control(Method::GET, &format!("requests?since={since}"), json!(null)).await.body;
    assert_eq!(rest["value"], json!([]));
}

#[tokio::test]
async fn a_watcher_of_the_log_wakes_when_the_request_arrives() {
    let sim = Sim::start().await;
    let found = sim.simulator.wait_for(Duration::from_secs(10), |log| {
        log.iter().find(|entry| entry.method == "PUT").map(|entry| entry.url.clone())
    });
    let body = cluster(0, 1);
    let (url, _) = tokio::join!(found, sim.put("computes/cpu", &body));
    assert!(url.unwrap().contains("/computes/cpu"));
    let over_http = sim.control(Method::GET, "requests?method=DELETE&wait=1&timeout=10ms", json!(null)).await;
    assert_eq!(over_http.body["value"], json!([]), "a wait ends by its timeout");
}

#[tokio::test]
async fn a_fault_before_prevents_the_effect_and_one_after_loses_the_answer() {
    let sim = Sim::frozen().await;
    sim.simulator.fault(json!({ "match": { "method": "PUT", "nth": 1 }, "do": { "status": 403 } })).unwrap();
    sim.simulator
        .fault(
            json!({ "id": "lost", "match": { "method": "PUT", "nth": 2 }, "when": "after", "do": "reset" }),
        )
        .unwrap();
    let refused = sim.put("computes/cpu", &cluster(0, 1)).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "AuthorizationFailed"));
    assert_eq!(sim.get("computes/cpu").await.status, StatusCode::NOT_FOUND);

    let url = sim.url("computes/cpu");
    let sent = sim.http.put(url).bearer_auth(&sim.token).json(&cluster(0, 1)).send().await;
    assert!(sent.is_err(), "the answer is lost");
    assert_eq!(sim.get("computes/cpu").await.status, StatusCode::OK, "the effect is there");
    assert_eq!(sim.simulator.faults()[1]["hits"], 1);
}

#[tokio::test]
async fn http_1_is_served_too_and_a_lost_answer_closes_its_connection() {
    let sim = Sim::start().await;
    let ca = reqwest::Certificate::from_pem(sim.simulator.ca_pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder().tls_certs_only([ca]).http1_only().build().unwrap();
    sim.simulator
        .fault(json!({ "match": { "method": "PUT" }, "when": "after", "do": "reset", "times": 1 }))
        .unwrap();
    let put = async || {
        let request = http.put(sim.url("computes/cpu")).bearer_auth(&sim.token).json(&cluster(0, 1));
        request.send().await.map(|response| (response.version(), response.status()))
    };
    assert!(put().await.is_err());
    let got = http.get(sim.url("computes/cpu")).bearer_auth(&sim.token).send().await.unwrap();
    assert_eq!((got.version(), got.status()), (reqwest::Version::HTTP_11, StatusCode::OK));
}

#[tokio::test]
async fn a_request_without_an_answer_ends_when_its_client_goes() {
    let sim = Sim::start().await;
    sim.simulator.fault(json!({ "match": { "method": "PUT" }, "do": "timeout" })).unwrap();
    let request = sim.http.put(sim.url("computes/cpu")).bearer_auth(&sim.token).json(&cluster(0, 1));
    assert!(request.timeout(Duration::from_millis(100)).send().await.is_err());
    assert_eq!(sim.get("computes/cpu").await.status, StatusCode::NOT_FOUND, "it had no effect");
    assert_eq!(sim.simulator.counters()["unanswered"], 1);
}

#[tokio::test]
async fn what_breaks_its_published_schema_is_refused_and_counted() {
    let sim = Sim::start().await;
    let mut body = cluster(0, 1);
    body["properties"]["properties"]["vm_size"] = json!("Standard_DS3_v2");
    let refused = sim.put("computes/cpu", &body).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.message().contains("vm_size"), "{refused:?}");
    assert_eq!(sim.simulator.counters()["contractViolations"], 1);
    assert!(
        sim.simulator
            .requests()
            .iter()
            .any(|entry| entry.violations.iter().any(|text| text.contains("vm_size")))
    );
}

#[tokio::test]
async fn a_held_request_waits_until_it_is_released_and_can_be_dropped() {
    let sim = Sim::start().await;
    let fault = json!({ "id": "h", "match": { "method": "PUT" }, "do": "hold" });
    sim.control(Method::POST, "faults", fault.clone()).await;
    let put = || {
        let request = sim.http.put(sim.url("computes/cpu")).bearer_auth(&sim.token).json(&cluster(0, 1));
        tokio::spawn(request.send())
    };
    let held = async || {
        let log = sim.control(Method::GET, "requests?fault=h&wait=1&timeout=10s", json!(null)).await;
        assert_eq!(log.body["value"][0]["status"], json!(null));
    };
    let going = put();
    held().await;
    assert_eq!(sim.get("computes/cpu").await.status, StatusCode::NOT_FOUND);
    assert_eq!(sim.control(Method::DELETE, "faults/h", json!(null)).await.status, StatusCode::OK);
    assert_eq!(going.await.unwrap().unwrap().status(), StatusCode::CREATED);

    sim.control(Method::POST, "faults", fault).await;
    let going = put();
    sim.simulator
        .wait_for(Duration::from_secs(10), |log| {
            (log.iter().filter(|e| e.fault.as_deref() == Some("h")).count() == 2).then_some(())
        })
        .await
        .unwrap();
    sim.control(Method::DELETE, "faults/h?drop=true", json!(null)).await;
    assert!(going.await.unwrap().is_err());
}

#[tokio::test]
async fn a_real_clock_cannot_be_moved() {
    let sim = Sim::start().await;
    let refused = sim.control(Method::POST, "clock", json!({ "advance": "PT1H" })).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body["error"].as_str().unwrap().contains("--clock virtual"));
}

#[tokio::test]
async fn workspaces_are_added_while_it_runs_and_live_side_by_side() {
    let sim = Sim::start().await;
    let body =
        json!({ "resourceGroup": "rg2", "name": "other", "region": "northeurope", "subscriptionId": "s2" });
    let added = sim.control(Method::POST, "workspaces", body).await.body;
    let id = added["id"].as_str().unwrap();
    assert_eq!(sim.get(id).await.body["location"], "northeurope");
    let _ = sim.simulator.add_workspace(&WorkspaceSpec::new("rg", "third"));
    let list = sim.get(&sim.workspace().replace("/workspaces/ws", "/workspaces")).await.body;
    assert_eq!(list["value"].as_array().map(Vec::len), Some(2));
    sim.cluster("cpu", 2).await;
    let state = sim.simulator.state("rg", "ws").unwrap();
    assert_eq!(state["computes"]["cpu"]["tags"]["owner"], "test");
    assert_eq!(sim.simulator.state("rg", "third").unwrap()["computes"], json!({}));
}

#[tokio::test]
async fn answers_are_delayed_when_a_latency_is_set() {
    let latency = [("GET".to_owned(), Duration::from_millis(80))].into();
    let sim = Sim::with(Options { latency, ..Options::default() }).await;
    let start = std::time::Instant::now();
    sim.get("computes").await;
    assert!(start.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn over_http_1_a_post_must_say_how_long_it_is() {
    let sim = Sim::with(Options { http1: true, ..Options::default() }).await;
    sim.cluster("cpu", 1).await;
    let bare = sim.http.post(sim.url("computes/cpu/listNodes")).bearer_auth(&sim.token);
    let sized = bare.try_clone().unwrap().header("content-length", "0");
    let refused = bare.send().await.unwrap();
    assert_eq!(refused.version(), reqwest::Version::HTTP_11, "HTTP/2 is not offered");
    let refused = answer(refused).await;
    assert_eq!(refused.status, StatusCode::LENGTH_REQUIRED);
    assert!(refused.body.as_str().unwrap().contains("HTTP Error 411"), "{refused:?}");
    assert!(!refused.headers.contains_key("x-ms-request-id"), "Azure has not seen it");
    assert_eq!(answer(sized.send().await.unwrap()).await.status, StatusCode::OK);
    let h2 = Sim::start().await;
    h2.cluster("cpu", 1).await;
    assert_eq!(h2.post("computes/cpu/listNodes").await.status, StatusCode::OK);
}
