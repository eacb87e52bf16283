//! From a source as a manifest names it to files that are wanted.
//!
//! In: a source that is on a server; an artifact of Flux has its address elsewhere. Out: what to fetch, and the Secret by which to sign in; or what is wrong. Asks nobody.

use crate::git::Reference;
use crate::wanted::{Origin, Wanted};
use azureml_crds::source::{Git, GitReference, Http, Oci, SecretReference, Source};

/// What a manifest says of files on a server.
#[derive(Debug)]
pub struct Named<'a> {
    /// The files.
    pub wanted: Wanted,
    /// The Secret by which to sign in.
    pub secret: Option<&'a SecretReference>,
}

/// What a source names.
///
/// # Errors
/// What is wrong with it, with the field.
pub fn named(source: &Source) -> Result<Named<'_>, String> {
    let Source { files, config_map, git, oci, flux, http, asset } = source;
    let is_elsewhere = files.is_some() || config_map.is_some() || flux.is_some() || asset.is_some();
    let (origin, path, ignore, secret) = match (git, oci, http) {
        (Some(git), None, None) if !is_elsewhere => {
            let Git { url, r#ref, path, ignore, interval: _, secret_ref } = git;
            (Origin::Git { url: url.clone(), reference: reference(r#ref)? }, path, ignore, secret_ref)
        }
        (None, Some(oci), None) if !is_elsewhere => {
            let Oci { image, path, ignore, interval: _, secret_ref } = oci;
            (Origin::Oci { image: image.clone() }, path, ignore, secret_ref)
        }
        (None, None, Some(http)) if !is_elsewhere => {
            let Http { url, sha256, path, ignore, secret_ref } = http;
            (Origin::Http { url: url.clone(), sha256: sha256.clone() }, path, ignore, secret_ref)
        }
        _ => {
            return Err("set exactly one of files, configMap, git, oci, flux, http; asset is for code alone"
                .to_owned());
        }
    };
    let path = folder(path.as_ref());
    Ok(Named { wanted: Wanted { origin, path, ignore: ignore.clone() }, secret: secret.as_ref() })
}

/// A folder as a manifest names it; empty for the whole.
#[must_use]
pub fn folder(path: Option<&String>) -> String {
    path.filter(|path| *path != ".").cloned().unwrap_or_default()
}

fn reference(named: &GitReference) -> Result<Reference, String> {
    match named {
        GitReference { branch: Some(name), tag: None, semver: None, commit: None } => {
            Ok(Reference::Branch(name.clone()))
        }
        GitReference { tag: Some(name), branch: None, semver: None, commit: None } => {
            Ok(Reference::Tag(name.clone()))
        }
        GitReference { semver: Some(range), branch: None, tag: None, commit: None } => {
            Reference::semver(range).map_err(|error| format!("ref.semver: {error}"))
        }
        GitReference { commit: Some(id), branch: None, tag: None, semver: None } => {
            Reference::commit(id).map_err(|error| format!("ref.commit: {error}"))
        }
        GitReference { .. } => Err("ref: set exactly one of branch, tag, semver, commit".to_owned()),
    }
}
