//! What stands in a request for what only Azure can tell.

use azureml_plan::action::Room;
use azureml_plan::data::path;

/// Where files are, once they are uploaded.
pub const UPLOAD: &str = "(known after the upload)";

/// A datastore, once it was asked which is the default one.
const DATASTORE: &str = "known-after-the-upload";

/// The digest of an image that is not built yet. It has the shape of one, since names of versions come from it.
pub const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The same for people.
pub const BUILD: &str = "(known after the build)";

/// Where files would be. Of data the path in the datastore is known, and looked for later.
#[must_use]
pub fn place(room: &Room) -> String {
    match room {
        Room::Datastore { workspace: _, hash, file } => {
            format!("azureml://datastores/{DATASTORE}/paths/{}", path(hash, file.as_deref()))
        }
        Room::Code(_) | Room::BuildSource(_) => UPLOAD.to_owned(),
    }
}

/// A text of a request as people read it: nothing in it moves a cursor.
#[must_use]
pub fn shown(text: &str) -> String {
    let text = text.replace(DIGEST, BUILD).replace(DATASTORE, UPLOAD);
    text.chars()
        .flat_map(|one| if one.is_control() { one.escape_default().collect() } else { vec![one] })
        .collect()
}
