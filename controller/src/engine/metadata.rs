//! The watch of metadata alone: of kinds that are not ours, whose objects wake ours.
//!
//! In: where to watch, what to do with what it tells. Out: nothing; it ends when it is told to. Reads no content and keeps nothing. A right that is
//! missing is said once: what wakes nobody is read at its interval.

use super::shut::{Patience, is_refused};
use super::watch::LONGEST_WATCH;
use futures::StreamExt as _;
use futures::stream::select_all;
use kube::Client;
use kube::api::Api;
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::{Error, Event};
use kube::runtime::{WatchStreamExt as _, watcher};
use std::pin::pin;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How many are asked for at once: their metadata alone comes.
const PAGE: u32 = 100;

/// The metadata of an object of any kind.
pub(super) type Metadata = PartialObjectMeta<DynamicObject>;

/// What is watched.
pub(super) struct Watched<'a> {
    /// The kind, for the log.
    pub kind: &'static str,
    /// The same, for the API server.
    pub resource: ApiResource,
    /// Where; none for everywhere.
    pub namespaces: &'a [String],
    /// The label that they have, as `key=value`; none where all are meant.
    pub label: Option<String>,
    /// What is said where the right is missing.
    pub warning: &'static str,
}

impl Watched<'_> {
    fn apis(&self, kube: &Client) -> Vec<Api<Metadata>> {
        match self.namespaces {
            [] => vec![Api::all_with(kube.clone(), &self.resource)],
            some => {
                some.iter().map(|name| Api::namespaced_with(kube.clone(), name, &self.resource)).collect()
            }
        }
    }
}

/// What a watch tells.
pub(super) enum Told<'a> {
    /// An object is there, or was changed; also one that a list shows: it may have changed while nobody watched.
    Is(&'a Metadata),
    /// An object was deleted.
    Gone(&'a Metadata),
    /// A list begins.
    Begins,
    /// Everything that is there was told since it began.
    Listed,
    /// It may not be watched, or there is no such kind.
    Refused,
}

/// How long after a right was taken away all is listed again: a watch that may go on later would not tell what it has told before.
const ANEW: Duration = Duration::from_secs(30);

/// Calls `each` with what was changed, and with what was there, until told to stop. One for all kinds: a copy for each kind would weigh on the image.
pub(super) async fn follow(
    kube: &Client,
    watched: Watched<'_>,
    stop: &CancellationToken,
    each: &mut (dyn FnMut(Told<'_>) + Send),
) {
    let mut is_told = false;
    while !watch(kube, &watched, stop, (each, &mut is_told)).await {
        if stop.run_until_cancelled(tokio::time::sleep(ANEW)).await.is_none() {
            return;
        }
    }
}

/// The same until the right to watch is taken away. Whether it was told to stop.
async fn watch(
    kube: &Client,
    watched: &Watched<'_>,
    stop: &CancellationToken,
    (each, is_told): (&mut (dyn FnMut(Told<'_>) + Send), &mut bool),
) -> bool {
    let (kind, warning) = (watched.kind, watched.warning);
    let mut settings = watcher::Config::default().timeout(LONGEST_WATCH).page_size(PAGE);
    settings.label_selector.clone_from(&watched.label);
    let events = watched.apis(kube).into_iter();
    let events = events.map(|api| watcher(api, settings.clone()).backoff(Patience::default()).boxed());
    let mut events = pin!(select_all(events).take_until(stop.clone().cancelled_owned()));
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => each(Told::Is(&object)),
            Ok(Event::Delete(object)) => each(Told::Gone(&object)),
            Ok(Event::Init) => each(Told::Begins),
            Ok(Event::InitDone) => each(Told::Listed),
            Err(error) => {
                let (is_forbidden, is_lost) = (is_forbidden(&error), is_lost(&error));
                if is_forbidden && !std::mem::replace(is_told, true) {
                    tracing::warn!(kind, "{warning}: {error}");
                } else {
                    tracing::debug!(kind, "the watch failed, it goes on: {error}");
                }
                if is_forbidden || is_refused(&error) {
                    each(Told::Refused);
                }
                if is_lost {
                    return false;
                }
            }
        }
    }
    true
}

/// Whether the right is missing, or was taken away; a kind that has gone is no news.
fn is_forbidden(error: &Error) -> bool {
    let is_of_list =
        matches!(error, Error::InitialListFailed(kube::Error::Api(status)) if status.is_forbidden());
    is_of_list || is_lost(error)
}

/// Whether the right was there for the list, and is not there for the watch.
fn is_lost(error: &Error) -> bool {
    matches!(error, Error::WatchStartFailed(kube::Error::Api(status)) if status.is_forbidden())
}

#[cfg(test)]
mod tests;
