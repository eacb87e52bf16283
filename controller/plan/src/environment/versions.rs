//! The versions of an environment: their names, which tell content and image, and the order in which they are tried.
//!
//! In: versions as they are listed, a status, a digest. Out: names, and whether they are what they say. Decides nothing of plans.

use super::seen::Version;
use super::wanted::Wanted;
use crate::{hash, time};
use azureml_client::image::is_digest;

/// The versions of this content, in the order in which they are tried: the one in force, then the newest first.
#[must_use]
pub fn candidates(in_force: Option<&str>, wanted: &Wanted, listed: Vec<Version>) -> Vec<Version> {
    let prefix = format!("{}-", wanted.content);
    let mut found: Vec<Version> =
        listed.into_iter().filter(|version| version.name.starts_with(&prefix)).collect();
    let created =
        |version: &Version| version.body["systemData"]["createdAt"].as_str().and_then(time::timestamp);
    found.sort_by_key(|version| {
        (Some(version.name.as_str()) != in_force, std::cmp::Reverse(created(version)))
    });
    found
}

/// The name of the version of an image.
#[must_use]
pub fn version_name(content: &str, digest: &str) -> String {
    format!("{content}-{}", hash::cut(hex(digest), hash::NAME))
}

/// Whether a version has the image that its name tells.
pub(super) fn is_named_by_image(version: &Version) -> bool {
    let digest = version.image().and_then(digest_of);
    let named = version.name.split_once('-').map(|(_, digest)| digest);
    digest.is_some_and(|digest| named == Some(hash::cut(hex(digest), hash::NAME)))
}

fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

/// Whether a version, as `status` names it, is one of a content.
#[must_use]
pub fn is_of_content(version: &str, content: &str) -> bool {
    let named = version.split_once('-').map(|(content, _)| content);
    is_version_name(version) && named == Some(content)
}

/// Whether a text is a name as [`version_name`] makes them.
#[must_use]
pub fn is_version_name(version: &str) -> bool {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    version.split_once('-').is_some_and(|(content, digest)| is_hex(content) && is_hex(digest))
}

/// The digest of an image that a version names.
#[must_use]
pub fn digest_of(image: &str) -> Option<&str> {
    image.rsplit_once('@').map(|(_, digest)| digest).filter(|digest| is_digest(digest))
}
