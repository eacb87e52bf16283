//! From a source as a manifest names it to the place that is asked, with what signs in there.
//!
//! In: a source, the hosts of the configuration, a Secret. Out: a place, or what is wrong with it. Asks no server.

use super::secret;
use crate::engine::Context;
use azureml_crds::source::{Git, GitReference, Http, Oci, SecretReference, Source};
use azureml_plan::hosts::{Reach, reach};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_plan::source::Purpose;
use azureml_source::git::Reference;
use azureml_source::{Login, Origin, Place, Wanted};

/// What a manifest says of a place.
struct Named<'a> {
    origin: Origin,
    path: Option<&'a String>,
    ignore: &'a [String],
    secret: Option<&'a SecretReference>,
}

/// The place of a source.
pub(super) async fn place(
    ctx: &Context,
    (field, namespace): (&str, &str),
    source: &Source,
) -> Result<Place, Wait> {
    let fetching = &ctx.fetching;
    let stalled = |message: String| Wait::stalled(Reason::SOURCE_FAILED, format!("{field}: {message}"));
    let Named { origin, path, ignore, secret } = named(source).map_err(stalled)?;
    let host = origin.host().map_err(|error| stalled(error.to_string()))?;
    let net = match reach(&fetching.config.hosts, namespace, &host).map_err(stalled)? {
        Reach::Public => &fetching.public,
        Reach::Anywhere => &fetching.anywhere,
    };
    let login = match secret {
        None => Login::Anonymous,
        Some(secret) => secret::login(ctx, (field, namespace, &secret.name), &host).await?,
    };
    let path = path.filter(|path| *path != ".").cloned().unwrap_or_default();
    let wanted = Wanted { origin, path, ignore: ignore.to_vec() };
    Ok(Place { wanted, login, net: net.clone(), purpose: Purpose::default() })
}

fn named(source: &Source) -> Result<Named<'_>, String> {
    match source {
        Source { git: Some(git), files: None, config_map: None, oci: None, http: None } => {
            let Git { url, r#ref, path, ignore, interval: _, secret_ref } = git;
            let origin = Origin::Git { url: url.clone(), reference: reference(r#ref)? };
            Ok(Named { origin, path: path.as_ref(), ignore, secret: secret_ref.as_ref() })
        }
        Source { oci: Some(oci), files: None, config_map: None, git: None, http: None } => {
            let Oci { image, path, ignore, interval: _, secret_ref } = oci;
            let origin = Origin::Oci { image: image.clone() };
            Ok(Named { origin, path: path.as_ref(), ignore, secret: secret_ref.as_ref() })
        }
        Source { http: Some(http), files: None, config_map: None, git: None, oci: None } => {
            let Http { url, sha256, path, ignore, secret_ref } = http;
            let origin = Origin::Http { url: url.clone(), sha256: sha256.clone() };
            Ok(Named { origin, path: path.as_ref(), ignore, secret: secret_ref.as_ref() })
        }
        Source { .. } => Err("set exactly one of files, configMap, git, oci, http".to_owned()),
    }
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
