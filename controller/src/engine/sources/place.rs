//! From a source as a manifest names it to the place that is asked, with what signs in there.
//!
//! In: a source, the hosts of the configuration, a Secret. Out: a place, or what is wrong with it. Asks no server.

use super::secret;
use crate::engine::Context;
use azureml_crds::source::Source;
use azureml_plan::hosts::{Reach, reach};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_plan::source::Purpose;
use azureml_source::{Login, Named, Place, named};

/// The place of a source.
pub(super) async fn place(
    ctx: &Context,
    (field, namespace): (&str, &str),
    source: &Source,
) -> Result<Place, Wait> {
    let fetching = &ctx.fetching;
    let stalled = |message: String| Wait::stalled(Reason::SOURCE_FAILED, format!("{field}: {message}"));
    let Named { wanted, secret } = named(source).map_err(stalled)?;
    let host = wanted.origin.host().map_err(|error| stalled(error.to_string()))?;
    let net = match reach(&fetching.config.hosts, namespace, &host).map_err(stalled)? {
        Reach::Public => &fetching.public,
        Reach::Anywhere => &fetching.anywhere,
    };
    let login = match secret {
        None => Login::Anonymous,
        Some(secret) => secret::login(ctx, (field, namespace, &secret.name), &host).await?,
    };
    Ok(Place { wanted, login, net: net.clone(), purpose: Purpose::default() })
}
