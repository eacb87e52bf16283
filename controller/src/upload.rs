//! Files to Azure: asks for room, writes them there, and says where they are.
//!
//! In: files named by their hash. Out: the place to put into the resource that names them.
//! Sources: Azure REST API, `CodeVersions_CreateOrGetStartPendingUpload`; ACR, `Registries_GetBuildSourceUploadUrl`.

use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use azureml_plan::action::Room;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;

/// The folder of a code asset.
const FOLDER: &str = "code";

/// Uploads files and says where they are.
///
/// # Errors
/// When Azure gives no room, or refuses the files.
pub async fn upload(client: &Client, room: &Room, files: &BTreeMap<String, String>) -> Result<Value, Error> {
    match room {
        Room::Code(id) => code(client, id, files).await,
        Room::BuildSource(registry) => build_source(client, registry, files).await,
    }
}

async fn code(client: &Client, id: &ArmId, files: &BTreeMap<String, String>) -> Result<Value, Error> {
    let answer = client
        .post(id, "startPendingUpload", Some(&json!({"pendingUploadType": "TemporaryBlobReference"})))
        .await?;
    let reference = &answer.body["blobReferenceForConsumption"];
    let (Some(container), Some(signed)) =
        (reference["blobUri"].as_str(), reference["credential"]["sasUri"].as_str())
    else {
        return Err(unreadable(id, "startPendingUpload", "the answer names no container"));
    };
    let (address, signature) = signed.split_once('?').unwrap_or((signed, ""));
    let puts = files.iter().map(|(path, content)| {
        let url = format!("{}/{FOLDER}/{}?{signature}", address.trim_end_matches('/'), encoded(path));
        async move { client.put_blob(&url, content.clone().into_bytes(), true).await }
    });
    futures::future::try_join_all(puts).await?;
    Ok(json!(format!("{}/{FOLDER}", container.trim_end_matches('/'))))
}

/// The file names of the schema need no more than this.
fn encoded(path: &str) -> String {
    path.replace('%', "%25").replace(' ', "%20").replace('?', "%3F").replace('#', "%23")
}

async fn build_source(
    client: &Client,
    registry: &ArmId,
    files: &BTreeMap<String, String>,
) -> Result<Value, Error> {
    let answer = client.post(registry, "listBuildSourceUploadUrl", None).await?;
    let (Some(url), Some(place)) = (answer.body["uploadUrl"].as_str(), answer.body["relativePath"].as_str())
    else {
        return Err(unreadable(registry, "listBuildSourceUploadUrl", "the answer names no address"));
    };
    let archive = archive(files).map_err(|error| unreadable(registry, "archive", &error.to_string()))?;
    client.put_blob(url, archive, false).await?;
    Ok(json!(place))
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
