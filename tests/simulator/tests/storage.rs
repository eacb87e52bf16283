//! A storage account that takes no keys: signatures are refused, tokens need a role, and every refusal is XML.

use crate::support;

use azureml_simulator::{Options, StorageAccess, WorkspaceSpec};
use reqwest::{Method, StatusCode};
use serde_json::json;
use support::{Answer, Sim, answer};

async fn keyless() -> Sim {
    let workspace = WorkspaceSpec { storage: StorageAccess::Identity, ..WorkspaceSpec::new("rg", "ws") };
    Sim::with(Options { workspaces: vec![workspace], ..Options::default() }).await
}

/// A place to upload to, as `startPendingUpload` gives it.
async fn place(sim: &Sim) -> (String, Option<String>) {
    let path = "codes/c/versions/1/startPendingUpload";
    let body = json!({ "pendingUploadType": "TemporaryBlobReference" });
    let given = sim.send(Method::POST, path, Some(&body)).await;
    let reference = &given.body["blobReferenceForConsumption"];
    let signed = reference["credential"]["sasUri"].as_str().map(str::to_owned);
    (reference["blobUri"].as_str().unwrap_or_default().to_owned(), signed)
}

async fn put(sim: &Sim, url: &str, token: Option<&str>) -> Answer {
    let request = sim.http.put(url).header("x-ms-blob-type", "BlockBlob").body("print(1)");
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    answer(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_workspace_of_identities_gives_no_signature_and_takes_tokens_of_those_with_the_role() {
    let sim = keyless().await;
    let mode = sim.get("").await.body["properties"]["systemDatastoresAuthMode"].clone();
    assert_eq!(mode, "Identity");
    let secrets = sim.post("datastores/workspaceblobstore/listSecrets").await;
    assert_eq!(secrets.status, StatusCode::BAD_REQUEST);
    let (uri, signed) = place(&sim).await;
    assert_eq!(signed, None);
    let url = format!("{uri}/main.py");
    let token = sim.token_for("test-app", "https://storage.azure.com/.default").await;
    let lacking = put(&sim, &url, Some(&token)).await;
    assert_eq!(lacking.status, StatusCode::FORBIDDEN);
    assert_eq!(lacking.header("x-ms-error-code"), "AuthorizationPermissionMismatch");
    sim.simulator.give_blob_role("test-app", true);
    assert_eq!(put(&sim, &url, Some(&token)).await.status, StatusCode::CREATED);
    let other = put(&sim, &url, Some(&sim.token)).await;
    assert_eq!(other.status, StatusCode::UNAUTHORIZED);
    assert!(other.header("www-authenticate").contains("resource_id=https://storage.azure.com"));
}

#[tokio::test]
async fn a_signature_is_refused_where_keys_are_and_the_refusal_is_xml_behind_a_mark() {
    let sim = keyless().await;
    let (uri, _) = place(&sim).await;
    let refused = put(&sim, &format!("{uri}/main.py?sv=1&sr=c&sp=rcwl&sig=x"), None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.header("x-ms-error-code"), "KeyBasedAuthenticationNotPermitted");
    assert_eq!(refused.header("content-type"), "application/xml");
    let text = refused.body.as_str().unwrap().trim_start_matches('\u{feff}');
    assert!(
        text.starts_with("<?xml") && text.contains("<Code>KeyBasedAuthenticationNotPermitted</Code>"),
        "{text}"
    );
    assert!(text.contains(&format!("RequestId:{}", refused.header("x-ms-request-id"))), "{text}");
}

#[tokio::test]
async fn an_account_with_keys_takes_the_signature() {
    let sim = Sim::start().await;
    assert_eq!(sim.get("").await.body["properties"]["systemDatastoresAuthMode"], "AccessKey");
    let (uri, signed) = place(&sim).await;
    let signed = signed.unwrap();
    let (_, query) = signed.split_once('?').unwrap();
    assert_eq!(put(&sim, &format!("{uri}/main.py?{query}"), None).await.status, StatusCode::CREATED);
}
