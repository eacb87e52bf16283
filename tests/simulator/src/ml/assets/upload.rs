//! `startPendingUpload`: a new container of the workspace's storage account, and a signature to fill it with.
//! Source: Azure REST API, `CodeVersions_CreateOrGetStartPendingUpload`.

use super::Kind;
use crate::arm::Call;
use crate::arm::errors::{self, Reply};
use crate::arm::ids;
use crate::blob::{self, Grant, Place};
use crate::ml::names::{self, Name};
use crate::options::StorageAccess;
use crate::wire::Answer;
use crate::world::World;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Read, create, write and list, on a container, for a working day.
const GRANT: Grant = Grant { permissions: "rcwl", container: true, lasts: SignedDuration::from_hours(8) };

/// Answers the request for a place to upload to. The same `pendingUploadId` leads to the same container.
pub fn start(
    world: &mut World,
    call: &Call<'_>,
    key: &str,
    kind: Kind,
    (name, version): (&str, &str),
) -> Reply {
    if !matches!(kind, Kind::Code | Kind::Data) {
        return Err(errors::no_route(call));
    }
    names::check(Name::Asset, name)?;
    names::check(Name::Version, version)?;
    let body = call.body()?;
    let given = body.get("pendingUploadId").and_then(Value::as_str).map(str::to_owned);
    let upload = given.unwrap_or_else(|| world.ids.uuid());
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let container = format!("{}-{upload}", workspace.guid.chars().take(8).collect::<String>());
    let account = workspace.storage.clone();
    let place = Place::new(&account, &container, "")
        .ok_or_else(|| errors::invalid(&format!("'{upload}' cannot be part of the name of a container.")))?;
    let arm_id = ids::resource(
        &workspace.subscription,
        &workspace.group,
        &format!("Microsoft.Storage/storageAccounts/{account}"),
    );
    world.blobs.create_container(&account, &container);
    let uri = format!("{}/blob/{account}/{container}", world.settings.base);
    // Not recorded: where the account takes no keys there is nothing to sign with, and the client brings a token.
    let is_signed = workspace.storage_access == StorageAccess::Keys;
    let signed = is_signed.then(|| format!("{uri}?{}", blob::signed(&world.keys, &place, GRANT)));
    Ok(Answer::ok(&json!({
        "pendingUploadId": upload, "pendingUploadType": "None",
        "blobReferenceForConsumption": {
            "blobUri": uri, "storageAccountArmId": arm_id,
            "credential": { "credentialType": "SAS", "sasUri": signed },
        },
    })))
}
