//! What stands in a request for what only Azure can tell.

/// Where files are, once they are uploaded.
pub const UPLOAD: &str = "(known after the upload)";

/// The digest of an image that is not built yet. It has the shape of one, since names of versions come from it.
pub const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The same for people.
pub const BUILD: &str = "(known after the build)";

/// A text of a request as people read it.
#[must_use]
pub fn shown(text: &str) -> String {
    text.replace(DIGEST, BUILD)
}
