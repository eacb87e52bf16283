//! Sources of Flux: the objects that take files from one are woken when it changes.
//!
//! In: what the API server serves, the watches of their metadata. Out: names in queues. Without Flux nothing is watched; once its kinds are
//! there, they are. Without the right to watch them each is read every five minutes.

use super::Context;
use super::metadata::{self, Told, Watched};
use super::sources::{flux_name, resource};
use super::watch::Watch;
use crate::telemetry::texts::FLUX_NOT_WATCHED;
use azureml_crds::source::{FLUX_API, FluxKind};
use kube::{Client, ResourceExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often it is looked whether Flux has been installed.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(30);

/// Follows the sources of Flux, each kind from when it is served, until told to stop.
pub async fn follow(ctx: Arc<Context>, watch: Watch) {
    let stop = watch.stop.clone();
    let (mut absent, mut followed) = (FluxKind::ALL.to_vec(), JoinSet::new());
    let mut every = tokio::time::interval(BETWEEN_LOOKS);
    while !absent.is_empty() {
        let look = async {
            every.tick().await;
            served(&ctx.kube).await
        };
        let Some(served) = stop.run_until_cancelled(look).await else { break };
        let is_served = |kind: &FluxKind| served.iter().any(|plural| plural == kind.plural());
        let (there, other): (Vec<FluxKind>, Vec<FluxKind>) = absent.into_iter().partition(is_served);
        for kind in there {
            followed.spawn(follow_kind(ctx.clone(), watch.clone(), kind));
        }
        absent = other;
    }
    while followed.join_next().await.is_some() {}
}

/// What the API server serves of Flux's sources. It may be asked by every account.
async fn served(kube: &Client) -> Vec<String> {
    let (group, version) = FLUX_API;
    match kube.list_api_group_resources(&format!("{group}/{version}")).await {
        Ok(served) => served.resources.into_iter().map(|served| served.name).collect(),
        Err(error) => {
            tracing::debug!("Flux's kinds are not served: {error}");
            Vec::new()
        }
    }
}

async fn follow_kind(ctx: Arc<Context>, watch: Watch, kind: FluxKind) {
    let watched = Watched {
        kind: kind.name(),
        resource: resource(kind),
        namespaces: &watch.namespaces,
        label: None,
        warning: FLUX_NOT_WATCHED,
    };
    metadata::follow(&ctx.kube, watched, &watch.stop, &mut |told| {
        if let Told::Is(source) | Told::Gone(source) = told {
            let name = flux_name(kind, source.namespace().unwrap_or_default(), source.name_any());
            watch.wakers.wake_all(ctx.referrers(&name));
        }
    })
    .await;
}
