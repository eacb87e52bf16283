//! ConfigMaps that say by a label that they are sources: the objects that take files from one are woken when it changes.
//!
//! In: the watch of their metadata. Out: names in queues. Reads no content and keeps nothing. Without the right to watch them it says so
//! once, and each is read every five minutes like one without the label.

use super::Context;
use super::shut::{Patience, is_refused};
use super::sources::map_name;
use super::watch::{LONGEST_WATCH, Watch};
use crate::telemetry::texts::MAPS_NOT_WATCHED;
use futures::StreamExt as _;
use futures::stream::select_all;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use std::pin::pin;
use std::sync::Arc;

/// The label of a ConfigMap that is to be followed, and its value.
pub const LABEL: (&str, &str) = ("azureml.dev/source", "true");

/// How many are asked for at once: their metadata alone comes.
const PAGE: u32 = 100;

/// Follows the ConfigMaps that have the label, until told to stop.
pub async fn follow(ctx: Arc<Context>, watch: Watch) {
    let (key, value) = LABEL;
    let settings =
        watcher::Config::default().labels(&format!("{key}={value}")).timeout(LONGEST_WATCH).page_size(PAGE);
    let events = apis(&ctx.kube, &watch.namespaces).into_iter().map(|api| {
        let events = watcher(api, settings.clone()).backoff(Patience::default());
        events.boxed()
    });
    let mut events = pin!(select_all(events).take_until(watch.stop.clone().cancelled_owned()));
    let mut is_told = false;
    while let Some(event) = events.next().await {
        match event {
            // Also one that a list shows: it may have changed while nobody watched.
            Ok(Event::Apply(map) | Event::InitApply(map) | Event::Delete(map)) => wake(&ctx, &watch, &map),
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) if is_refused(&error) && !std::mem::replace(&mut is_told, true) => {
                tracing::warn!("{MAPS_NOT_WATCHED}: {error}");
            }
            Err(error) => tracing::debug!("the watch of ConfigMaps failed, it goes on: {error}"),
        }
    }
}

fn apis(kube: &Client, namespaces: &[String]) -> Vec<Api<PartialObjectMeta<ConfigMap>>> {
    match namespaces {
        [] => vec![Api::all(kube.clone())],
        some => some.iter().map(|name| Api::namespaced(kube.clone(), name)).collect(),
    }
}

fn wake(ctx: &Context, watch: &Watch, map: &PartialObjectMeta<ConfigMap>) {
    watch.wakers.wake_all(ctx.referrers(&map_name(map.namespace().unwrap_or_default(), map.name_any())));
}
