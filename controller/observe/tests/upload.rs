//! Uploads of code where a storage account takes no keys: by a signature where that does, else by the identity's own role.

#[path = "../../azure/tests/support/mod.rs"]
mod support;

use anyhow::{Result, ensure};
use axum::body::Body;
use axum::http::Response;
use azureml_client::{ArmId, Class};
use azureml_observe::folder::Folder;
use azureml_observe::upload::upload;
use azureml_plan::action::Room;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::{Seen, Server, answer, client, with};

const NO_KEYS: &str =
    "<Error><Code>KeyBasedAuthenticationNotPermitted</Code><Message>No keys.</Message></Error>";

/// A workspace and its storage at one address: what it gives for an upload, and what its storage says to a signature.
async fn azure(
    pending: fn(&str) -> (u16, Value),
    by_signature: fn() -> Response<Body>,
    by_role: fn() -> Response<Body>,
) -> Result<Server> {
    Server::start(move |seen: &Seen| {
        let host = seen.rest.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let here = format!("https://{}", host.trim_matches('"'));
        if seen.line.contains("startPendingUpload") {
            let (status, body) = pending(&here);
            with(status, &[("x-ms-request-id", "r")], &body.to_string())
        } else if seen.line.contains("/datastores?") {
            answer(
                200,
                &json!({"value": [{"properties": {"datastoreType": "AzureBlob", "accountName": "account",
                "containerName": "store", "endpoint": "core.invalid", "protocol": "https"}}]})
                .to_string(),
            )
        } else if seen.line.contains("sig=") {
            by_signature()
        } else {
            by_role()
        }
    })
    .await
}

fn reference(here: &str, is_signed: bool) -> (u16, Value) {
    let credential = if is_signed {
        json!({"credentialType": "SAS", "sasUri": format!("{here}/signed?sig=s")})
    } else {
        json!({"credentialType": "NoCredentials"})
    };
    let blob = json!({"blobUri": format!("{here}/container"), "credential": credential});
    (200, json!({"blobReferenceForConsumption": blob, "pendingUploadType": "None"}))
}

fn denied(code: &'static str) -> Response<Body> {
    with(
        403,
        &[("x-ms-error-code", code)],
        &format!("<Error><Code>{code}</Code><Message>m</Message></Error>"),
    )
}

async fn uploaded(azure: &Server) -> Result<Result<Value, azureml_client::Error>> {
    let id = ArmId::workspace("s", "g", "w").child("codes", "c").child("versions", "1");
    let files = BTreeMap::from([("a.py".to_owned(), "print()".to_owned())]);
    Ok(upload(&client(azure, &[])?, &Room::Code(id), &Folder::texts(files)).await)
}

#[tokio::test]
async fn a_signature_is_used_where_it_does() -> Result<()> {
    let azure = azure(|here| reference(here, true), || with(201, &[], ""), || denied("Never")).await?;
    let place = uploaded(&azure).await??;
    ensure!(place == json!(format!("{}/container/code", azure.address)), "{place}");
    ensure!(azure.lines()[1] == "PUT /signed/code/a.py?sig=s", "{:?}", azure.lines());
    Ok(())
}

#[tokio::test]
async fn without_a_signature_or_where_storage_takes_no_keys_the_role_does() -> Result<()> {
    let no_keys = || with(403, &[("x-ms-error-code", "KeyBasedAuthenticationNotPermitted")], NO_KEYS);
    for pending in [|here: &str| reference(here, false), |here: &str| reference(here, true)] {
        let azure = azure(pending, no_keys, || with(201, &[], "")).await?;
        let place = uploaded(&azure).await??;
        ensure!(place == json!(format!("{}/container/code", azure.address)), "{place}");
        let last = azure.seen().pop().map(|seen| (seen.line.clone(), seen.has_token()));
        ensure!(last == Some(("PUT /container/code/a.py".to_owned(), true)), "{last:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_role_is_named_by_its_code() -> Result<()> {
    let azure = azure(
        |here| reference(here, false),
        || denied("Never"),
        || denied("AuthorizationPermissionMismatch"),
    )
    .await?;
    let error = uploaded(&azure).await?.err();
    let told = error.as_ref().map(|error| (error.class(), error.code()));
    ensure!(told == Some((Class::Forbidden, Some("AuthorizationPermissionMismatch"))), "{error:?}");
    let trouble = error.as_ref().map(azureml_plan::trouble::Trouble::of);
    let remedy = trouble.map(|trouble| trouble.remedy()).unwrap_or_default();
    ensure!(remedy.contains("Storage Blob Data Contributor"), "{remedy}");
    Ok(())
}

#[tokio::test]
async fn where_no_container_is_given_the_default_datastore_is_and_its_host_has_to_be_the_clouds() -> Result<()>
{
    let refuse = |_: &str| {
        let message = "Key based authentication is not permitted on this storage account.";
        (403, json!({"error": {"code": "UserError", "message": message}}))
    };
    let azure = azure(refuse, || denied("Never"), || with(201, &[], "")).await?;
    let error = uploaded(&azure).await?.err();
    let host = error.as_ref().map(ToString::to_string).unwrap_or_default();
    ensure!(host.contains("https://account.blob.core.invalid"), "{error:?}");
    ensure!(azure.lines().len() == 2, "{:?}", azure.lines());
    Ok(())
}
