//! One watch for each kind: fills the store, keeps the relations, and wakes whom a change concerns.
//!
//! In: the events of the API server. Out: names in queues. An object that cannot be read stops nobody else's.

use super::door::{Door, door};
use super::memory::{fingerprint, hash};
use super::pass::{Ended, Engine};
use super::queue::Queue;
use super::queue::{Wakers, exit};
use super::relations::{Name, Sight};
use super::{Context, Kind};
use crate::metrics::Outcome;
use futures::stream::select_all;
use futures::{FutureExt as _, StreamExt as _};
use kube::ResourceExt as _;
use kube::api::Api;
use kube::core::DeserializeGuard;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The name of an object.
pub fn name_of<K: Kind>(object: &K) -> Name {
    Name { kind: K::KIND, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
}

fn sight<K: Kind>(object: &K) -> Sight {
    let cares = K::CARES || object.meta().deletion_timestamp.is_some();
    Sight { refers_to: object.refers_to(), offer: hash(object.offer()), holds: holds(object), cares }
}

/// Whether an object keeps what it names: only one that came in through our door does.
fn holds<K: Kind>(object: &K) -> bool {
    matches!(door(object), Door::Inside | Door::Leaving) && object.holds()
}

/// How many seconds a watch lasts before it is begun anew. A connection that was lost on the way is silent, as one is where
/// nothing happens: this is how long the difference may go unnoticed.
const LONGEST_WATCH: u32 = 60;

/// What a watch needs besides its engine.
#[derive(Clone)]
pub struct Watch {
    /// The namespaces; all, where none is named.
    pub namespaces: Vec<String>,
    /// The queues.
    pub wakers: Wakers,
    /// Ends the watch.
    pub stop: CancellationToken,
}

impl<K: Kind> Engine<K> {
    /// Follows the objects of all namespaces that are watched, until told to stop; `listed` says when all are known.
    pub async fn watch(self: Arc<Self>, watch: Watch, mut writer: Writer<K>, listed: CancellationToken) {
        // The store is filled by single events, since one list must not wipe out another namespace's objects.
        writer.apply_watcher_event(&Event::Init);
        writer.apply_watcher_event(&Event::InitDone);
        let store = writer.as_reader();
        let apis: Vec<Api<DeserializeGuard<K>>> = match watch.namespaces.as_slice() {
            [] => vec![Api::all(self.ctx.kube.clone())],
            some => some.iter().map(|name| Api::namespaced(self.ctx.kube.clone(), name)).collect(),
        };
        let mut lists: Vec<List> = apis.iter().map(|_| List::default()).collect();
        let events = apis.into_iter().enumerate().map(|(place, api)| {
            watcher(api, watcher::Config::default().timeout(LONGEST_WATCH))
                .default_backoff()
                .map(move |event| (place, event))
                .boxed()
        });
        let mut events = pin!(select_all(events).take_until(watch.stop.cancelled_owned()));
        while let Some((place, event)) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    tracing::warn!(kind = K::KIND, "the watch failed, it goes on: {error}");
                    continue;
                }
            };
            for event in lists[place].follow(event, &store) {
                writer.apply_watcher_event(&event);
                self.follow(&event, &watch.wakers, !lists[place].is_done);
            }
            if lists.iter().all(|list| list.is_done) {
                listed.cancel();
            }
        }
    }

    fn follow(&self, event: &Event<K>, wakers: &Wakers, is_listing: bool) {
        match event {
            Event::Apply(object) => {
                let name = name_of(object);
                let woken = self.ctx.relations().seen(&name, sight(object));
                if self.memory.seen(object, fingerprint(object), is_listing) {
                    wakers.wake(name);
                }
                wakers.wake_all(woken);
            }
            Event::Delete(object) => {
                self.memory.forget(object);
                let woken = self.ctx.relations().gone(&name_of(object));
                wakers.wake_all(woken);
            }
            Event::Init | Event::InitApply(_) | Event::InitDone => {}
        }
    }

    /// Runs passes for the names that come out of the queue, until told to stop; passes that run are finished.
    pub async fn work(self: Arc<Self>, store: Store<K>, queue: Arc<Queue>, stop: CancellationToken) {
        let passes = |object: Arc<K>, engine: Arc<Self>| async move {
            Ok::<_, std::convert::Infallible>(engine.guarded(object).await)
        };
        let never = |_: Arc<K>, _: &std::convert::Infallible, _: Arc<Self>| Action::await_change();
        Controller::for_stream(futures::stream::pending::<Result<K, watcher::Error>>(), store)
            .with_config(Config::default())
            .reconcile_on(exit(queue))
            .graceful_shutdown_on(stop.cancelled_owned())
            .run(passes, never, self)
            .for_each(|ended| async move {
                if let Err(error) = ended {
                    tracing::debug!(kind = K::KIND, "no pass: {error}");
                }
            })
            .await;
    }

    /// A pass that panics is a pass that failed: it ends neither the process nor other passes.
    async fn guarded(&self, object: Arc<K>) -> Action {
        let (namespace, name) = (object.namespace(), object.name_any());
        let started = Instant::now();
        let ended = AssertUnwindSafe(self.pass(object)).catch_unwind().await;
        let (due, outcome) = match ended {
            Ok(Ok(Ended { due, outcome })) => (due, outcome),
            Ok(Err(error)) => {
                tracing::warn!(kind = K::KIND, namespace, name, "Kubernetes refused: {error}");
                (Some(AGAIN), Outcome::Failed)
            }
            Err(_) => {
                tracing::error!(kind = K::KIND, namespace, name, "the pass panicked");
                (Some(AFTER_PANIC), Outcome::Failed)
            }
        };
        tracing::debug!(kind = K::KIND, namespace, name, ?outcome, ?due, "pass");
        self.ctx.metrics.pass(K::KIND, outcome, started.elapsed());
        due.map_or_else(Action::await_change, Action::requeue)
    }
}

/// After Kubernetes refused: a conflict is mended by the next event, the rest by time.
const AGAIN: Duration = Duration::from_secs(1);
const AFTER_PANIC: Duration = Duration::from_mins(1);

/// One watch's knowledge of what there is: a list that was begun anew says by silence what is gone.
#[derive(Default)]
struct List {
    known: HashSet<(String, String)>,
    listing: HashSet<(String, String)>,
    is_done: bool,
}

impl List {
    /// An event as changes of single objects.
    fn follow<K: Kind>(&mut self, event: Event<DeserializeGuard<K>>, store: &Store<K>) -> Vec<Event<K>> {
        match event {
            Event::Init => {
                self.listing.clear();
                Vec::new()
            }
            Event::InitApply(object) => readable(object)
                .map(|object| {
                    self.listing.insert(key(&object));
                    self.known.insert(key(&object));
                    Event::Apply(object)
                })
                .into_iter()
                .collect(),
            Event::InitDone => {
                self.is_done = true;
                let gone: Vec<(String, String)> = self.known.difference(&self.listing).cloned().collect();
                self.known = std::mem::take(&mut self.listing);
                let find =
                    |(namespace, name): &(String, String)| store.get(&ObjectRef::new(name).within(namespace));
                gone.iter().filter_map(find).map(|object| Event::Delete(object.as_ref().clone())).collect()
            }
            Event::Apply(object) => readable(object)
                .map(|object| {
                    self.known.insert(key(&object));
                    Event::Apply(object)
                })
                .into_iter()
                .collect(),
            Event::Delete(object) => readable(object)
                .map(|object| {
                    self.known.remove(&key(&object));
                    Event::Delete(object)
                })
                .into_iter()
                .collect(),
        }
    }
}

fn key<K: Kind>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// An object that can be read, without what only weighs on memory.
fn readable<K: Kind>(guard: DeserializeGuard<K>) -> Option<K> {
    match guard.0 {
        Ok(mut object) => {
            object.managed_fields_mut().clear();
            Some(object)
        }
        Err(invalid) => {
            tracing::warn!(
                kind = K::KIND,
                name = invalid.metadata.name,
                "an object cannot be read: {invalid}"
            );
            None
        }
    }
}

/// How many objects of a kind have each condition, for the metrics.
pub fn count_conditions<K: Kind>(ctx: &Context, store: &Store<K>) {
    use azureml_crds::shared::HasCommon as _;
    let objects = store.state();
    for r#type in ["Ready", "Reconciling", "Stalled"] {
        let has = |object: &&Arc<K>| {
            let conditions =
                object.status().map(|status| status.common().conditions.as_slice()).unwrap_or_default();
            conditions.iter().any(|condition| condition.type_ == r#type && condition.status == "True")
        };
        let count = objects.iter().filter(has).count();
        ctx.metrics.condition(K::KIND, r#type, i64::try_from(count).unwrap_or(i64::MAX));
    }
}
