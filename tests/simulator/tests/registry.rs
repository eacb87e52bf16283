//! Builds with and without a name, their logs, the images they push, and images of other registries.

use crate::support;

use azureml_simulator::{Options, RoleMode};
use reqwest::{Method, StatusCode};
use serde_json::json;
use support::acr::Acr;
use support::answer;

#[tokio::test]
async fn a_named_build_runs_once_pushes_its_image_and_is_found_again_by_its_name() {
    let acr = Acr::new(Options::default()).await;
    let request = acr.request("FROM rocker/r-ver:4.4\nCOPY src /app\n").await;
    assert_eq!(acr.call(Method::GET, "taskRuns/build-1", None).await.status, StatusCode::NOT_FOUND);
    let put = acr.task_run("build-1", &request, None).await;
    assert_eq!(
        (put.status, &put.body["properties"]["provisioningState"]),
        (StatusCode::CREATED, &json!("Creating"))
    );
    assert_eq!(put.body["properties"]["runResult"]["properties"]["status"], "Queued");
    let operation = put.header("azure-asyncoperation").to_owned();
    assert_eq!(
        acr.task_run("build-1", &request, None).await.status,
        StatusCode::OK,
        "a repeated PUT starts nothing"
    );
    acr.sim.pass(1);
    assert_eq!(acr.sim.get(&operation).await.body["status"], "Succeeded");
    let got = acr.call(Method::GET, "taskRuns/build-1", None).await.body;
    assert_eq!(got["properties"]["provisioningState"], "Succeeded");
    let run = &got["properties"]["runResult"]["properties"];
    let image = &run["outputImages"][0];
    assert_eq!((&image["repository"], &image["tag"]), (&json!("op/ns/env"), &json!("h12")));
    assert_eq!(acr.call(Method::GET, "runs", None).await.body["value"].as_array().map(Vec::len), Some(1));

    let token = acr.token("repository:op/ns/env:pull").await;
    let head = acr.manifest(Method::HEAD, "op/ns/env", "h12", &token).await;
    assert_eq!(head.header("docker-content-digest"), image["digest"].as_str().unwrap());

    let forced = acr.task_run("build-1", &request, Some("again")).await;
    assert_eq!(forced.body["properties"]["provisioningState"], "Updating");
    acr.sim.pass(1);
    let again = acr.call(Method::GET, "taskRuns/build-1", None).await.body;
    assert_ne!(again["properties"]["runResult"]["properties"]["outputImages"][0]["digest"], image["digest"]);
}

#[tokio::test]
async fn a_build_that_fails_says_why_in_its_run_and_its_log() {
    let acr = Acr::new(Options::default()).await;
    let request = acr.request("FROM rocker/r-ver:4.4\nRUN false\n").await;
    let put = acr.task_run("build-1", &request, None).await;
    let operation = put.header("azure-asyncoperation").to_owned();
    acr.sim.pass(1);
    let got = acr.call(Method::GET, "taskRuns/build-1", None).await.body;
    assert_eq!(got["properties"]["provisioningState"], "Failed");
    let run = &got["properties"]["runResult"]["properties"];
    assert_eq!(run["status"], "Failed");
    assert!(run["runErrorMessage"].as_str().unwrap().contains("non-zero code: 1"));
    assert_eq!(acr.sim.get(&operation).await.body["status"], "Failed");

    let id = run["runId"].as_str().unwrap();
    let link = acr.call(Method::POST, &format!("runs/{id}/listLogSasUrl"), None).await.body;
    let log = acr.sim.http.get(link["logLink"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(log.headers()["x-ms-meta-complete"], "failed");
    assert!(log.text().await.unwrap().contains("RUN false"));
}

#[tokio::test]
async fn a_build_without_its_source_or_with_a_lost_base_fails() {
    let acr = Acr::new(Options::default()).await;
    let mut request = acr.request("FROM rocker/r-ver:4.4\n").await;
    acr.sim.control(Method::POST, "images", json!({ "image": "rocker/r-ver:4.4", "do": "lose" })).await;
    acr.task_run("lost-base", &request, None).await;
    request["sourceLocation"] = json!("source/202601010000/none.tar.gz");
    acr.task_run("no-source", &request, None).await;
    acr.sim.pass(1);
    for (name, cause) in [("lost-base", "not found"), ("no-source", "was not uploaded")] {
        let got = acr.call(Method::GET, &format!("taskRuns/{name}"), None).await.body;
        let message =
            got["properties"]["runResult"]["properties"]["runErrorMessage"].as_str().unwrap().to_owned();
        assert!(message.contains(cause), "{name}: {message}");
    }
}

#[tokio::test]
async fn a_fault_lets_a_build_fail_or_keeps_it_from_ending() {
    let acr = Acr::new(Options::default()).await;
    let request = acr.request("FROM r:1\n").await;
    let fail = json!({ "match": { "path": "taskRuns/bad-1$" }, "when": "outcome",
                       "do": { "fail": { "code": "Boom", "message": "no agent" } } });
    acr.sim.simulator.fault(fail).unwrap();
    let hold = json!({ "id": "h", "match": { "path": "taskRuns/slow-1$" }, "when": "outcome", "do": "hold" });
    acr.sim.simulator.fault(hold).unwrap();
    acr.task_run("bad-1", &request, None).await;
    acr.task_run("slow-1", &request, None).await;
    acr.sim.pass(60);
    let state = async |name: &str| {
        let got = acr.call(Method::GET, &format!("taskRuns/{name}"), None).await.body;
        got["properties"]["runResult"]["properties"]["status"].clone()
    };
    assert_eq!((state("bad-1").await, state("slow-1").await), (json!("Failed"), json!("Running")));
    assert!(acr.sim.simulator.release("h", false));
    assert_eq!(state("slow-1").await, json!("Succeeded"));
}

#[tokio::test]
async fn a_quick_build_is_listed_and_cancelled() {
    let acr = Acr::new(Options::default()).await;
    let request = acr.request("FROM r:1\n").await;
    let run = acr.call(Method::POST, "scheduleRun", Some(&request)).await.body;
    let id = run["name"].as_str().unwrap();
    assert_eq!(acr.call(Method::POST, &format!("runs/{id}/cancel"), None).await.status, StatusCode::OK);
    let filter = "runs?$filter=Status%20eq%20%27Canceled%27&$top=5";
    assert_eq!(acr.call(Method::GET, filter, None).await.body["value"][0]["name"], id);
    acr.sim.pass(60);
    let got = acr.call(Method::GET, &format!("runs/{id}"), None).await.body;
    assert_eq!(got["properties"]["status"], "Canceled");
}

#[tokio::test]
async fn an_encoded_task_builds_and_pushes() {
    use base64::Engine as _;
    let acr = Acr::new(Options::default()).await;
    let source = acr.upload(&[("Dockerfile", "FROM r:1\n")]).await;
    let task = "version: v1.1.0\nsteps:\n- build: -t $Registry/op/env:1 -f Dockerfile .\n  env: [DOCKER_BUILDKIT=1]\n- push: [$Registry/op/env:1]\n";
    let request = json!({ "type": "EncodedTaskRunRequest", "sourceLocation": source, "platform": { "os": "Linux" },
                          "encodedTaskContent": base64::engine::general_purpose::STANDARD.encode(task) });
    acr.task_run("encoded", &request, None).await;
    acr.sim.pass(1);
    let got = acr.call(Method::GET, "taskRuns/encoded", None).await.body;
    assert_eq!(
        got["properties"]["runResult"]["properties"]["outputImages"][0]["repository"], "op/env",
        "{got}"
    );
}

#[tokio::test]
async fn a_registry_with_roles_per_repository_takes_a_push_only_from_a_named_identity() {
    let acr = Acr::new(Options { registry_mode: RoleMode::Abac, ..Options::default() }).await;
    let registry = acr.sim.get(&format!("{}?api-version=2025-11-01", acr.id)).await.body;
    assert_eq!(registry["properties"]["roleAssignmentMode"], "AbacRepositoryPermissions");
    let mut request = acr.request("FROM r:1\n").await;
    acr.task_run("nobody", &request, None).await;
    request["credentials"] = json!({ "sourceRegistry": { "identity": "[caller]" } });
    acr.task_run("caller", &request, None).await;
    acr.sim.pass(1);
    for (name, state) in [("nobody", "Failed"), ("caller", "Succeeded")] {
        let got = acr.call(Method::GET, &format!("taskRuns/{name}"), None).await.body;
        assert_eq!(got["properties"]["provisioningState"], state, "{name}");
    }
}

#[tokio::test]
async fn a_manifest_is_shown_for_a_token_of_its_repository_and_can_be_purged() {
    let acr = Acr::new(Options::default()).await;
    let bare = acr.manifest(Method::HEAD, "op/ns/env", "h12", "none").await;
    assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
    let challenge = bare.header("www-authenticate");
    let realm = format!("Bearer realm=\"{}/oauth2/token\"", acr.sim.simulator.endpoint());
    assert!(challenge.starts_with(&realm) && challenge.contains("repository:op/ns/env:pull"), "{challenge}");
    let other = acr.token("repository:other:pull").await;
    assert_eq!(acr.manifest(Method::HEAD, "op/ns/env", "h12", &other).await.status, StatusCode::UNAUTHORIZED);
    let token = acr.token("repository:op/ns/env:pull,delete").await;
    let missing = acr.manifest(Method::GET, "op/ns/env", "h12", &token).await;
    assert_eq!(
        (missing.status, &missing.body["errors"][0]["code"]),
        (StatusCode::NOT_FOUND, &json!("MANIFEST_UNKNOWN"))
    );

    acr.task_run("build", &acr.request("FROM r:1\n").await, None).await;
    acr.sim.pass(1);
    let found = acr.manifest(Method::GET, "op/ns/env", "h12", &token).await;
    let digest = found.header("docker-content-digest").to_owned();
    assert_eq!(found.body["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(acr.manifest(Method::DELETE, "op/ns/env", &digest, &token).await.status, StatusCode::ACCEPTED);
    assert_eq!(acr.manifest(Method::HEAD, "op/ns/env", &digest, &token).await.status, StatusCode::NOT_FOUND);
    assert_eq!(acr.manifest(Method::HEAD, "op/ns/env", "h12", &token).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn images_of_any_other_registry_resolve_with_an_anonymous_token() {
    let acr = Acr::new(Options::default()).await;
    let base = acr.sim.simulator.endpoint();
    let url = format!("{base}/v2/org/img/manifests/1.2?ns=ghcr.io");
    let refused = answer(acr.sim.http.head(&url).send().await.unwrap()).await;
    assert!(refused.header("www-authenticate").contains("service=\"ghcr.io\""));
    let anonymous = format!("{base}/token?service=ghcr.io&scope=repository:org/img:pull");
    let token = answer(acr.sim.http.get(anonymous).send().await.unwrap()).await.body["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let get = async || answer(acr.sim.http.get(&url).bearer_auth(&token).send().await.unwrap()).await;
    let first = get().await;
    assert_eq!(first.body["mediaType"], "application/vnd.oci.image.index.v1+json");
    assert_eq!(get().await.header("docker-content-digest"), first.header("docker-content-digest"));
    let moved = acr
        .sim
        .control(Method::POST, "images", json!({ "image": "ghcr.io/org/img:1.2", "do": "move" }))
        .await;
    assert_eq!(get().await.header("docker-content-digest"), moved.body["digest"].as_str().unwrap());
    acr.sim.control(Method::POST, "images", json!({ "image": "ghcr.io/org/img:1.2", "do": "lose" })).await;
    assert_eq!(get().await.status, StatusCode::NOT_FOUND);
}
