//! Sources of Flux: the objects that take files from one are woken when it changes.
//!
//! In: what the API server serves, the watches of their metadata. Out: names in queues. Without Flux nothing is watched; once its kinds are
//! there, they are. Without the right to watch them it says so once, and each is read every five minutes.

use super::Context;
use super::shut::Patience;
use super::sources::{flux_name, resource};
use super::watch::{LONGEST_WATCH, Watch};
use crate::telemetry::texts::FLUX_NOT_WATCHED;
use azureml_crds::source::{FLUX_API, FluxKind};
use futures::StreamExt as _;
use futures::stream::select_all;
use kube::api::Api;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::{Error, Event};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often it is looked whether Flux has been installed.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(30);

/// How many are asked for at once: their metadata alone comes.
const PAGE: u32 = 100;

type Metadata = PartialObjectMeta<DynamicObject>;

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
    let settings = watcher::Config::default().timeout(LONGEST_WATCH).page_size(PAGE);
    let events = apis(&ctx.kube, &watch.namespaces, kind).into_iter().map(|api| {
        let events = watcher(api, settings.clone()).backoff(Patience::default());
        events.boxed()
    });
    let mut events = pin!(select_all(events).take_until(watch.stop.clone().cancelled_owned()));
    let mut is_told = false;
    while let Some(event) = events.next().await {
        match event {
            // Also one that a list shows: it may have changed while nobody watched.
            Ok(Event::Apply(source) | Event::InitApply(source) | Event::Delete(source)) => {
                let name = flux_name(kind, source.namespace().unwrap_or_default(), source.name_any());
                watch.wakers.wake_all(ctx.referrers(&name));
            }
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) if is_forbidden(&error) && !std::mem::replace(&mut is_told, true) => {
                tracing::warn!(kind = kind.name(), "{FLUX_NOT_WATCHED}: {error}");
            }
            Err(error) => tracing::debug!(kind = kind.name(), "the watch failed, it goes on: {error}"),
        }
    }
}

/// Whether the right is missing; a kind that has gone is no news.
fn is_forbidden(error: &Error) -> bool {
    matches!(error, Error::InitialListFailed(kube::Error::Api(status)) if status.is_forbidden())
}

fn apis(kube: &Client, namespaces: &[String], kind: FluxKind) -> Vec<Api<Metadata>> {
    let resource = resource(kind);
    match namespaces {
        [] => vec![Api::all_with(kube.clone(), &resource)],
        some => some.iter().map(|name| Api::namespaced_with(kube.clone(), name, &resource)).collect(),
    }
}
