//! The artifact of a source of Flux: whose may be taken, and what its status lets be fetched.
//!
//! In: the configuration, a source's namespace, its status. Out: an address and a digest, or what is missing. A writer of a status gains
//! nothing: the address has to lead to the source's own folder on a server that the platform team names. Fetches nothing.

use crate::hosts::{self, HostGrant, Reach};
use crate::pattern::any_matches;
use crate::reasons::Reason;
use crate::resolve::Wait;
use azureml_crds::source::{Flux, FluxKind};
use serde::Deserialize;
use url::Url;

/// What the configuration says of Flux.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct FluxConfig {
    /// The servers of artifacts, with a port where it is not the scheme's own, and `*` for any text. They may have private addresses.
    pub hosts: Vec<String>,
    /// Which namespaces may take the sources of others. None is the default.
    pub grants: Vec<FluxGrant>,
}

/// The namespaces whose sources some namespaces may take. Both lists take names with `*` for any text.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FluxGrant {
    /// The namespaces that take them.
    pub namespaces: Vec<String>,
    /// The namespaces that have them.
    pub from: Vec<String>,
}

impl Default for FluxConfig {
    /// The services of Flux' own controllers, where `flux install` puts them.
    fn default() -> Self {
        let service = |name: &str| format!("{name}.flux-system.svc.cluster.local");
        Self { hosts: ["source-controller", "source-watcher"].map(service).into(), grants: Vec::new() }
    }
}

/// A source of Flux by its address in the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Its kind.
    pub kind: FluxKind,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// A source of Flux as the API server has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Offer {
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    artifact: Option<Said>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
struct Said {
    url: String,
    #[serde(default)]
    digest: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
    message: String,
}

/// What may be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The address.
    pub url: Url,
    /// The SHA-256 that it must have, in hex.
    pub sha256: String,
}

/// The longest text of a condition that is told.
const LONGEST: usize = 300;

/// The namespace of a source that an object of a namespace names.
///
/// # Errors
/// When it is another one, and not granted.
pub fn namespace<'a>(flux: &'a Flux, own: &'a str, grants: &[FluxGrant]) -> Result<&'a str, String> {
    let Some(other) = flux.namespace.as_deref().filter(|other| *other != own) else { return Ok(own) };
    let is_it = |grant: &FluxGrant| any_matches(&grant.namespaces, own) && any_matches(&grant.from, other);
    if grants.iter().any(is_it) {
        return Ok(other);
    }
    Err(format!(
        "this namespace may not take sources of the namespace {other}; name one of this namespace, or the platform team adds to the \
         controller's configuration: sources: {{flux: {{grants: [{{namespaces: [{own}], from: [{other}]}}]}}}}"
    ))
}

/// The artifact that a source has now.
///
/// # Errors
/// When it has none, has failed, or says what Flux does not say.
pub fn artifact(named: Named<'_>, offer: &Offer) -> Result<Artifact, Wait> {
    let Named { kind, namespace, name } = named;
    let shown = format!("{} {name}", kind.name());
    let Status { artifact, conditions } = &offer.status;
    let failed = conditions.iter().find(|one| one.r#type == "Ready" && one.status == "False");
    if let Some(Condition { reason, message, .. }) = failed {
        let message: String = message.chars().take(LONGEST).collect();
        return Err(waits(format!("mend {shown}, which is not Ready: {reason}: {message}")));
    }
    let Some(Said { url, digest }) = artifact else {
        return Err(waits(format!(
            "{shown} has no artifact yet; if none comes, look at its conditions, and whether Flux's controllers run"
        )));
    };
    let sha256 = digest.strip_prefix("sha256:").filter(|hash| is_sha256(hash));
    let sha256 = sha256.ok_or_else(|| {
        lasts(format!(
            "the artifact of {shown} has no digest of SHA-256; start Flux's controllers with --artifact-digest-algo=sha256"
        ))
    })?;
    let folder = format!("/{}/{namespace}/{name}/", kind.name().to_lowercase());
    let url = Url::parse(url).ok().filter(|url| is_own(url, &folder));
    let url = url.ok_or_else(|| {
        lasts(format!(
            "the artifact of {shown} is refused: its address is not http://<host>{folder}<file>, as Flux writes it; let nobody but \
             Flux's controllers write its status"
        ))
    })?;
    Ok(Artifact { url, sha256: sha256.to_owned() })
}

/// Whether a namespace may fetch an artifact from its server.
///
/// # Errors
/// When the server is not named, or not for the namespace.
pub fn reach(
    config: &FluxConfig,
    grants: &[HostGrant],
    namespace: &str,
    artifact: &Artifact,
) -> Result<(), String> {
    // Flux writes names with the dot at the end, which makes them whole.
    let host = artifact.url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
    let host = artifact.url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
    match hosts::reach(grants, namespace, &host)? {
        Reach::Anywhere => Ok(()),
        Reach::Public if any_matches(&config.hosts, &host) => Ok(()),
        Reach::Public => Err(format!(
            "artifacts of Flux are not fetched from {host}; if it is one of Flux's servers, the platform team adds to the controller's \
             configuration: sources: {{flux: {{hosts: [{host}]}}}}"
        )),
    }
}

/// Whether an address leads to a file of a folder, as every server reads it: nothing in it is encoded or relative.
fn is_own(url: &Url, folder: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_web = matches!(url.scheme(), "http" | "https");
    let is_bare = url.username().is_empty() && url.password().is_none();
    let file = url.path().strip_prefix(folder).unwrap_or_default();
    let is_file = !file.is_empty() && file.bytes().all(is_plain);
    is_web && is_bare && is_file && url.query().is_none() && url.fragment().is_none()
}

fn is_sha256(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Flux, or somebody who mends it, brings it.
fn waits(message: String) -> Wait {
    Wait::new(Reason::SOURCE_FAILED, message).unwatched()
}

/// Only a change can help.
fn lasts(message: String) -> Wait {
    Wait::stalled(Reason::SOURCE_FAILED, message).unwatched()
}

#[cfg(test)]
mod tests;
