//! Environments, codes, components and data: versions that never change, archives, hashes, uploads.

use crate::support;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Sim, answer};

fn environment(image: &str) -> Value {
    json!({ "properties": { "image": image, "tags": { "owner": "a" }, "properties": { "hash": "1" } } })
}

#[tokio::test]
async fn a_version_is_made_once_and_putting_the_same_again_changes_nothing() {
    let sim = Sim::start().await;
    let put = sim.put("environments/r/versions/1", &environment("a.azurecr.io/b@x")).await;
    assert_eq!(put.status, StatusCode::CREATED);
    assert_eq!(put.body["name"], "1", "the name is the version");
    assert_eq!(put.body["id"], format!("{}/environments/r/versions/1", sim.workspace()));
    assert_eq!(put.body["properties"]["provisioningState"], "Succeeded");
    let again = sim.put("environments/r/versions/1", &environment("a.azurecr.io/b@x")).await;
    assert_eq!(again.status, StatusCode::CREATED, "201 is no proof of creation");
    assert_eq!(again.body["systemData"], put.body["systemData"], "systemData is no proof of a change");
    let other = sim.put("environments/r/versions/1", &environment("a.azurecr.io/b@y")).await;
    assert_eq!((other.status, other.code()), (StatusCode::CONFLICT, "UserError"));
    assert_eq!(other.message(), "Environment r with version 1 is already registered and cannot be changed.");
}

#[tokio::test]
async fn an_environment_shows_its_conda_file_as_json_and_what_the_service_adds() {
    let sim = Sim::start().await;
    let conda =
        json!({ "properties": { "image": "a", "condaFile": "name: x\ndependencies: [python=3.11]\n" } });
    let put = sim.put("environments/r/versions/1", &conda).await;
    let text = put.body["properties"]["condaFile"].as_str().unwrap();
    assert!(text.contains("\n  \"dependencies\": [\n    \"python=3.11\"\n  ]"), "{text}");
    assert_eq!(put.body["properties"]["stage"], "Development");
    assert_eq!(put.body["properties"]["properties"], json!({ "azureml.labels": "latest" }));
    assert!(put.header("location").contains("/environments/r/versions/1?"));
    let back = sim.put("environments/r/versions/1", &put.body).await;
    assert_eq!(back.status, StatusCode::CREATED, "what was read can be sent back: {back:?}");
    let plain = sim.put("environments/r/versions/2", &environment("b")).await;
    assert_eq!(plain.body["properties"]["condaFile"], "");
    let first = sim.get("environments/r/versions/1").await.body;
    assert_eq!(first["properties"]["properties"], json!({}), "another version is the latest");
    assert_eq!(sim.delete("environments/r/versions/2").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_missing_asset_is_refused_with_the_codes_of_its_kind() {
    let sim = Sim::start().await;
    for (path, chain) in [
        ("components/c/versions/1", ["UserError", "NotFound", "ComponentNotFound"].as_slice()),
        ("components/c", &["UserError", "NotFound", "ComponentNotFound"]),
        ("environments/e/versions/1", &["UserError", "NotFoundError"]),
        ("environments/e", &["UserError", "NotFoundError"]),
        ("data/d/versions/1", &["UserError", "NotFoundError"]),
        ("jobs/j", &["UserError", "NotFound", "JobNotFound"]),
        ("schedules/s", &["UserError", "NotFound"]),
        ("batchEndpoints/b", &["NotFound", "NoSuchEndpoint"]),
    ] {
        let missing = sim.get(path).await;
        assert_eq!((missing.status, missing.chain().as_slice()), (StatusCode::NOT_FOUND, chain), "{path}");
        assert!(missing.body["error"].get("target").is_none(), "{path}");
    }
}

#[tokio::test]
async fn tags_archive_and_properties_change() {
    let sim = Sim::start().await;
    sim.put("environments/r/versions/1", &environment("b:1")).await;
    let mut body = sim.get("environments/r/versions/1").await.body;
    body["properties"]["isArchived"] = json!(true);
    body["properties"]["tags"] = json!({});
    body["properties"]["properties"]["more"] = json!("2");
    let put = sim.put("environments/r/versions/1", &body).await;
    assert_eq!((put.status, &put.body["properties"]["isArchived"]), (StatusCode::CREATED, &json!(true)));
    let own = json!({ "hash": "1", "more": "2", "azureml.labels": "latest" });
    assert_eq!(put.body["properties"]["properties"], own);
    assert_eq!(sim.get("environments/r/versions").await.body["value"], json!([]));
    let all = sim.get("environments/r/versions?listViewType=All").await.body;
    assert_eq!(all["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(sim.get("environments/r/versions/1").await.status, StatusCode::OK, "archived resolves by id");
    body["properties"]["properties"]["hash"] = json!("other");
    let altered = sim.put("environments/r/versions/1", &body).await.body;
    assert_eq!(altered["properties"]["properties"]["hash"], "other");
}

#[tokio::test]
async fn an_environment_has_exactly_one_source() {
    let sim = Sim::start().await;
    let put = async |properties: Value| {
        sim.put("environments/r/versions/1", &json!({ "properties": properties })).await.status
    };
    assert_eq!(put(json!({})).await, StatusCode::BAD_REQUEST);
    let both = json!({ "image": "a", "build": { "contextUri": "https://x/" } });
    assert_eq!(put(both).await, StatusCode::BAD_REQUEST);
    assert_eq!(put(json!({ "image": "a", "condaFile": "name: x" })).await, StatusCode::CREATED);
}

#[tokio::test]
async fn the_latest_version_is_found_by_order_and_in_the_container() {
    let sim = Sim::start().await;
    for version in ["9", "10", "abc"] {
        sim.put(&format!("environments/r/versions/{version}"), &environment(version)).await;
    }
    let top = sim.get("environments/r/versions?$orderBy=createdtime%20desc&$top=1").await.body;
    assert_eq!(top["value"][0]["name"], "abc");
    assert!(top["nextLink"].is_string());
    let container = sim.get("environments/r").await.body;
    assert_eq!(container["properties"]["latestVersion"], "abc");
    let next = container["properties"]["nextVersion"].as_str().unwrap();
    assert_eq!(next.split('-').count(), 7, "the next version is a time: {next}");
    sim.put("environments/r", &json!({ "properties": { "isArchived": true } })).await;
    assert_eq!(sim.get("environments").await.body["value"], json!([]));
    assert_eq!(sim.get("environments/r/versions/9").await.body["properties"]["isArchived"], true);
    let missing = sim.get("environments/none").await;
    assert_eq!((missing.status, missing.code()), (StatusCode::NOT_FOUND, "UserError"));
}

/// A new container with its signature: (URI, query).
async fn slot(sim: &Sim, code: &str) -> (String, String) {
    let upload = json!({ "pendingUploadType": "TemporaryBlobReference" });
    let path = format!("codes/{code}/versions/1/startPendingUpload");
    let started = sim.send(Method::POST, &path, Some(&upload)).await.body;
    assert_eq!(started["pendingUploadType"], "None");
    let place = &started["blobReferenceForConsumption"];
    let (_, sas) = place["credential"]["sasUri"].as_str().unwrap().split_once('?').unwrap();
    (place["blobUri"].as_str().unwrap().to_owned(), sas.to_owned())
}

#[tokio::test]
async fn a_blob_is_written_once_and_only_with_its_signature() {
    let sim = Sim::start().await;
    let (uri, sas) = slot(&sim, "c-abc").await;
    let put = |query: &str| {
        let request =
            sim.http.put(format!("{uri}/src/train.R?{query}")).header("x-ms-blob-type", "BlockBlob");
        request.header("if-none-match", "*").body("x")
    };
    let code = async |request: reqwest::RequestBuilder| {
        let answer = answer(request.send().await.unwrap()).await;
        (answer.status.as_u16(), answer.header("x-ms-error-code").to_owned())
    };
    assert_eq!(code(put("")).await.0, 403);
    assert_eq!(code(put(&sas.replace("sig=", "sig=A"))).await, (403, "AuthenticationFailed".into()));
    assert_eq!(code(put(&sas).bearer_auth(&sim.token)).await.0, 401, "a token beside a signature is refused");
    let wrong = put(&sas).header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(code(wrong).await, (400, "Md5Mismatch".into()));
    assert_eq!(code(put(&sas)).await.0, 201);
    assert_eq!(code(put(&sas)).await, (409, "BlobAlreadyExists".into()));

    let url = format!("{uri}/src/train.R?comp=metadata&{sas}");
    let described = sim.http.put(url).header("x-ms-meta-upload_status", "completed");
    assert_eq!(code(described).await.0, 200);
    let head = sim.http.head(format!("{uri}/src/train.R?{sas}")).send().await.unwrap();
    assert_eq!(head.headers()["x-ms-meta-upload_status"], "completed");
    assert_eq!(head.headers()["content-length"], "1");
    let log = sim.control(Method::GET, "requests?path=train.R", json!(null)).await.body.to_string();
    assert!(!log.contains(sas.rsplit_once("sig=").unwrap().1), "signatures are cut from the log");
}

#[tokio::test]
async fn code_is_found_by_its_hash_under_any_name_and_its_place_never_changes() {
    let sim = Sim::start().await;
    let search = "codes/whatever/versions?hash=abc&hashVersion=202208";
    assert_eq!(sim.get(search).await.body["value"], json!([]));
    let (uri, _) = slot(&sim, "c-abc").await;
    let code = |folder: &str| {
        json!({ "properties": { "codeUri": format!("{uri}/{folder}"), "isAnonymous": true,
                "properties": { "hash_sha256": "abc", "hash_version": 202_208 } } })
    };
    assert_eq!(sim.put("codes/c-abc/versions/1", &code("src")).await.status, StatusCode::CREATED);
    assert_eq!(sim.put("codes/c-abc/versions/1", &code("src")).await.status, StatusCode::OK);
    let moved = sim.put("codes/c-abc/versions/1", &code("other")).await;
    assert_eq!(moved.status, StatusCode::OK, "{moved:?}");
    assert_eq!(moved.body["properties"]["codeUri"], format!("{uri}/src"), "the first place stays");
    assert_eq!(moved.body["properties"]["isAnonymous"], false, "whatever was sent");
    let found = sim.get(search).await.body;
    assert_eq!(found["value"][0]["id"], format!("{}/codes/c-abc/versions/1", sim.workspace()));
    assert_eq!(found["value"][0]["properties"]["properties"]["hash_version"], "202208");
}

#[tokio::test]
async fn the_same_pending_upload_leads_to_the_same_container() {
    let sim = Sim::start().await;
    let upload = json!({ "pendingUploadType": "TemporaryBlobReference", "pendingUploadId": "mine" });
    let start = async || {
        let path = "codes/c/versions/1/startPendingUpload";
        sim.send(Method::POST, path, Some(&upload)).await.body["blobReferenceForConsumption"]["blobUri"]
            .clone()
    };
    assert_eq!(start().await, start().await);
}

#[tokio::test]
async fn datastores_are_listed_and_give_a_signature_for_their_container() {
    let sim = Sim::start().await;
    let default = sim.get("datastores?isDefault=true").await.body;
    assert_eq!(default["value"][0]["name"], "workspaceblobstore");
    let store = &default["value"][0]["properties"];
    let secrets = sim.post("datastores/workspaceblobstore/listSecrets").await.body;
    let url = format!(
        "{}/blob/{}/{}/LocalUpload/Dockerfile?{}",
        sim.simulator.endpoint(),
        store["accountName"].as_str().unwrap(),
        store["containerName"].as_str().unwrap(),
        secrets["sasToken"].as_str().unwrap()
    );
    assert_eq!(sim.http.head(&url).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let put = sim.http.put(&url).header("x-ms-blob-type", "BlockBlob").body("FROM r").send().await.unwrap();
    assert_eq!(put.status(), StatusCode::CREATED);
    let part = sim.http.get(&url).header("x-ms-range", "bytes=0-3").send().await.unwrap();
    assert_eq!((part.status(), part.text().await.unwrap()), (StatusCode::PARTIAL_CONTENT, "FROM".into()));
    let data = json!({ "properties": { "dataType": "uri_folder", "dataUri": "azureml://datastores/none/paths/x/" } });
    assert_eq!(sim.put("data/raw/versions/1", &data).await.status, StatusCode::BAD_REQUEST);
}
