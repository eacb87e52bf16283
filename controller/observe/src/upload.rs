//! Files to Azure: asks for room, writes them there, and says where they are.
//!
//! In: files named by their hash. Out: the place to put into the resource that names them.
//! Sources: Azure REST API, `CodeVersions_CreateOrGetStartPendingUpload`, `Datastores_List`; ACR, `Registries_GetBuildSourceUploadUrl`.

use crate::folder::Folder;
use crate::pack::Packed;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use azureml_plan::action::Room;
use flate2::{Compression, GzBuilder};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;

/// The bytes of a part of a large file: of each file that is on its way one part is in memory.
const PART: usize = 4 << 20;

/// Files of one folder that are on their way at once.
const AT_ONCE: usize = 4;

/// The folder of a code asset.
const FOLDER: &str = "code";

/// Uploads files and says where they are.
///
/// # Errors
/// When Azure gives no room, or refuses the files.
pub async fn upload(client: &Client, room: &Room, files: &Folder) -> Result<Value, Error> {
    match (room, files) {
        (Room::Code(id), files) => code(client, id, files).await,
        (Room::Datastore { workspace, hash, file }, files) => {
            data(client, workspace, (hash, file.as_deref()), files).await
        }
        (Room::BuildSource(registry), Folder::Texts(texts)) => {
            let archive =
                archive(texts).map_err(|error| unreadable(registry, "archive", &error.to_string()))?;
            let (url, place) = build_source(client, registry).await?;
            client.put_blob(&url, archive, false).await?;
            Ok(json!(place))
        }
        (Room::BuildSource(_), Folder::Kept(_)) => upload_above(client, room, files, &BTreeMap::new()).await,
    }
}

/// Uploads the context of a build with files above it that take the place of those with their names.
///
/// # Errors
/// As for others, and when the disk fails.
pub async fn upload_above(
    client: &Client,
    room: &Room,
    files: &Folder,
    above: &BTreeMap<String, String>,
) -> Result<Value, Error> {
    let (Room::BuildSource(registry), Folder::Kept(kept)) = (room, files) else {
        let (Room::BuildSource(id) | Room::Code(id) | Room::Datastore { workspace: id, .. }) = room;
        return Err(unreadable(id, "archive", "only a build has files above those of a source"));
    };
    let broken = |error: std::io::Error| unreadable(registry, "archive", &error.to_string());
    let (kept, above) = (kept.clone(), above.clone());
    let packed = tokio::task::spawn_blocking(move || Packed::of(&kept, &above)).await;
    let packed = packed.map_err(std::io::Error::other).and_then(|packed| packed).map_err(broken)?;
    let (url, place) = build_source(client, registry).await?;
    if packed.size <= PART as u64 {
        client.put_blob(&url, packed.piece(0, PART).await.map_err(broken)?, false).await?;
        return Ok(json!(place));
    }
    let mut parts = 0;
    for offset in (0..packed.size).step_by(PART) {
        client.put_block(&url, parts, packed.piece(offset, PART).await.map_err(broken)?).await?;
        parts += 1;
    }
    client.put_block_list(&url, parts, false).await?;
    Ok(json!(place))
}

/// Where files go.
struct Place {
    /// The container's address, and the folder in it where that is ours to choose.
    address: String,
    /// The folder below it.
    folder: &'static str,
    /// The address to write to by a signature (SAS), and the signature; none where the account takes no keys.
    signed: Option<(String, String)>,
}

async fn code(client: &Client, id: &ArmId, files: &Folder) -> Result<Value, Error> {
    let place = match pending(client, id).await {
        Ok(Some(place)) => place,
        Ok(None) => own_folder(client, id).await?,
        Err(error) if takes_no_keys(&error) => own_folder(client, id).await?,
        Err(error) => return Err(error),
    };
    put_all(client, &place, files).await?;
    Ok(json!(folder(&place.address)))
}

async fn put_all(client: &Client, place: &Place, files: &Folder) -> Result<(), Error> {
    let put = |(path, size): (String, u64)| async move { put(client, place, files, (&path, size)).await };
    stream::iter(files.sizes()).map(Ok).try_for_each_concurrent(AT_ONCE, put).await
}

/// Data goes into a folder of the default datastore, by the identity's own role, and is named by the datastore.
async fn data(
    client: &Client,
    workspace: &ArmId,
    (hash, file): (&str, Option<&str>),
    files: &Folder,
) -> Result<Value, Error> {
    let store = default_datastore(client, workspace).await?;
    let (Some(container), Some(name)) = (container(&store), store["name"].as_str()) else {
        return Err(unreadable(workspace, "datastores", "the workspace has no default datastore of blobs"));
    };
    let folder = azureml_plan::data::path(hash, None);
    let address = format!("{container}/{}", folder.trim_end_matches('/'));
    put_all(client, &Place { address, folder: "", signed: None }, files).await?;
    let part = |key: &str| workspace.segment(key).unwrap_or_default();
    Ok(json!(format!(
        "azureml://subscriptions/{}/resourcegroups/{}/workspaces/{}/datastores/{name}/paths/{}",
        part("subscriptions"),
        part("resourceGroups"),
        workspace.name(),
        azureml_plan::data::path(hash, file),
    )))
}

fn folder(container: &str) -> String {
    format!("{}/{FOLDER}", container.trim_end_matches('/'))
}

/// The beginning of the addresses of files.
fn below(container: &str, folder: &str) -> String {
    let container = container.trim_end_matches('/');
    if folder.is_empty() { format!("{container}/") } else { format!("{container}/{folder}/") }
}

/// Writes a file by the signature, and by the identity's own role where there is none or the account takes no keys.
async fn put(client: &Client, place: &Place, files: &Folder, file: (&str, u64)) -> Result<(), Error> {
    let path = encoded(file.0);
    if let Some((address, signature)) = &place.signed {
        let url = format!("{}{path}?{signature}", below(address, place.folder));
        match write(client, &url, files, file).await {
            Err(error) if takes_no_keys(&error) => {}
            written => return written,
        }
    }
    write(client, &format!("{}{path}", below(&place.address, place.folder)), files, file).await
}

/// Writes a blob: a large one part by part, so that no more than a part is in memory.
async fn write(client: &Client, url: &str, files: &Folder, (path, size): (&str, u64)) -> Result<(), Error> {
    let piece = |offset: u64| async move {
        let piece = files.piece(path, offset, PART).await;
        piece.map_err(|error| Error::Unreadable {
            verb: "PUT",
            what: path.to_owned(),
            cause: format!("the file cannot be read from disk: {error}"),
        })
    };
    if size <= PART as u64 {
        return client.put_blob(url, piece(0).await?, true).await;
    }
    let mut parts = 0;
    for offset in (0..size).step_by(PART) {
        client.put_block(url, parts, piece(offset).await?).await?;
        parts += 1;
    }
    client.put_block_list(url, parts, true).await
}

/// Whether the reason is a storage account with `allowSharedKeyAccess: false`. Azure ML may pass storage's words on.
fn takes_no_keys(error: &Error) -> bool {
    error.has_code(NO_KEYS)
        || error.words().is_some_and(|words| {
            words.contains(NO_KEYS) || words.contains("Key based authentication is not permitted")
        })
}

const NO_KEYS: &str = "KeyBasedAuthenticationNotPermitted";

/// The container that Azure ML gives for an upload, if it gives one: no recording shows what it says where the account takes
/// no keys. The signature may be absent, and belongs to `sasUri` alone.
async fn pending(client: &Client, id: &ArmId) -> Result<Option<Place>, Error> {
    let asked = json!({"pendingUploadType": "TemporaryBlobReference"});
    let answer = client.post(id, "startPendingUpload", Some(&asked)).await?;
    let reference = &answer.body["blobReferenceForConsumption"];
    let signed = reference["credential"]["sasUri"].as_str().and_then(|signed| signed.split_once('?'));
    let signed = signed.map(|(address, signature)| (address.to_owned(), signature.to_owned()));
    Ok(reference["blobUri"].as_str().map(|container| Place {
        address: container.to_owned(),
        folder: FOLDER,
        signed,
    }))
}

/// A folder of this asset in the workspace's default datastore, which is where Microsoft's client uploads to
/// (`LocalUpload/<hash>`).
async fn own_folder(client: &Client, id: &ArmId) -> Result<Place, Error> {
    let workspace = id.enclosing_workspace().unwrap_or_else(|| id.clone());
    let store = default_datastore(client, &workspace).await?;
    let name =
        id.parent().map_or_else(|| id.name().to_owned(), |code| format!("{}-{}", code.name(), id.name()));
    let place = container(&store).map(|container| format!("{container}/LocalUpload/{name}"));
    let missing = || unreadable(&workspace, "datastores", "the workspace has no default datastore of blobs");
    Ok(Place { address: place.ok_or_else(missing)?, folder: FOLDER, signed: None })
}

/// The default datastore of a workspace, where it is one of blobs; null where it is not.
///
/// # Errors
/// When Azure refuses or does not answer.
pub async fn default_datastore(client: &Client, workspace: &ArmId) -> Result<Value, Error> {
    let query = [("isDefault", "true"), ("count", "30"), ("orderByAsc", "false")];
    let stores = client.page(workspace, "datastores", &query, Urgency::Change).await?;
    Ok(stores.into_iter().find(|store| container(store).is_some()).unwrap_or_default())
}

/// The address of a datastore's container.
#[must_use]
pub fn container(store: &Value) -> Option<String> {
    let properties = &store["properties"];
    let text = |key: &str| properties[key].as_str();
    let (account, name, endpoint) = (text("accountName")?, text("containerName")?, text("endpoint")?);
    (text("datastoreType") == Some("AzureBlob")).then(|| format!("https://{account}.blob.{endpoint}/{name}"))
}

/// The file names of the schema need no more than this.
fn encoded(path: &str) -> String {
    path.replace('%', "%25").replace(' ', "%20").replace('?', "%3F").replace('#', "%23")
}

/// The address to write the source of a build to, and its place as a build names it.
async fn build_source(client: &Client, registry: &ArmId) -> Result<(String, String), Error> {
    let answer = client.post(registry, "listBuildSourceUploadUrl", None).await?;
    let (Some(url), Some(place)) = (answer.body["uploadUrl"].as_str(), answer.body["relativePath"].as_str())
    else {
        return Err(unreadable(registry, "listBuildSourceUploadUrl", "the answer names no address"));
    };
    Ok((url.to_owned(), place.to_owned()))
}

fn unreadable(id: &ArmId, what: &str, cause: &str) -> Error {
    Error::Unreadable { verb: "POST", what: format!("{id}/{what}"), cause: cause.to_owned() }
}

/// A gzip-compressed tar of files: sorted, without times or owners, so that equal files give equal bytes.
///
/// # Errors
/// When a path is too long for the format.
pub fn archive(files: &BTreeMap<String, String>) -> std::io::Result<Vec<u8>> {
    let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    let mut tar = tar::Builder::new(gzip);
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, path, content.as_bytes())?;
    }
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    gzip.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_files_give_equal_bytes() {
        let files = BTreeMap::from([
            ("Dockerfile".to_owned(), "FROM x".to_owned()),
            ("a/b".to_owned(), "c".to_owned()),
        ]);
        assert_eq!(archive(&files).unwrap(), archive(&files).unwrap());
    }
}
