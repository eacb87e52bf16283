//! What signs in at the registry of an image that is looked up: the same Secrets, bound to the same hosts, as for files.
//!
//! In: an object. Out: a login with the way to its host, or what is missing. Asks no registry.

use super::secret;
use crate::engine::{Context, Kind};
use azureml_observe::Signed;
use azureml_plan::hosts::{Reach, reach};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_source::Login;
use kube::ResourceExt as _;

/// The field that names the Secret.
const FIELD: &str = "imagePullSecretRef";

/// What signs in for an object; none where it names no Secret, or nothing is looked up.
///
/// # Errors
/// When the Secret is missing or not for the registry's host, or the namespace may not ask that host.
pub async fn signed<K: Kind>(ctx: &Context, object: &K) -> Result<Option<Signed>, Wait> {
    let Some((name, image)) = object.pulled() else { return Ok(None) };
    let namespace = object.namespace().unwrap_or_default();
    let host = image.registry;
    let net = match reach(&ctx.fetching.config.hosts, &namespace, &host) {
        Ok(Reach::Public) => &ctx.fetching.public,
        Ok(Reach::Anywhere) => &ctx.fetching.anywhere,
        Err(message) => return Err(Wait::stalled(Reason::SOURCE_FAILED, format!("image: {message}"))),
    };
    match secret::login(ctx, (FIELD, &namespace, name), &host).await? {
        Login::Key(_) => {
            let message = format!(
                "{FIELD}: Secret {name} has a key of SSH; make it with kubectl create secret docker-registry"
            );
            Err(Wait::stalled(Reason::SECRET_INCOMPLETE, message).unwatched())
        }
        login @ (Login::Anonymous | Login::Basic(..) | Login::Bearer(_)) => {
            Ok(Some(Signed { login, net: net.clone() }))
        }
    }
}
