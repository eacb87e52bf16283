//! One watch for each kind: fills the store, keeps the relations, and wakes whom a change concerns.
//!
//! In: the events of the API server. Out: names in queues. An object that cannot be read stops nobody else's.

use super::Kind;
use super::delays::{after_refusals, jittered};
use super::ended::Ended;
use super::finalizer::{Stage, stage};
use super::fingerprint::{fingerprint, hash, state};
use super::guard::{Guarded, Unreadable};
use super::list::List;
use super::pass::Engine;
use super::queue::Queue;
use super::queue::{Wakers, exit};
use super::relations::{Name, Sight};
use super::shut::{Patience, is_refused};
use super::sources::source_names;
use crate::outcome::Outcome;
use crate::telemetry::PassSpan;
use crate::telemetry::texts::{KUBERNETES_REFUSED, PASS};
use azureml_client::turns::PAYER;
use azureml_plan::reasons::{Reason, Word};
use futures::stream::select_all;
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::ResourceExt as _;
use kube::api::Api;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::Store;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// The name of an object.
pub fn name_of<K: Kind>(object: &K) -> Name {
    Name { kind: K::KIND, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
}

fn sight<K: Kind>(object: &K) -> Sight {
    let cares = K::CARES || object.meta().deletion_timestamp.is_some();
    let refers_to = object.refers_to().into_iter().chain(source_names(object)).collect();
    let (offer, tells) = (hash(object.offer()), hash(object.tells()));
    Sight { refers_to, offer, state: state(object), tells, holds: holds(object), cares }
}

/// Whether an object keeps what it names: only one with our finalizer does.
fn holds<K: Kind>(object: &K) -> bool {
    matches!(stage(object), Stage::Kept | Stage::Deleting) && object.holds()
}

/// How many seconds a watch lasts before it is begun anew. A connection that was lost on the way is silent, as one is where
/// nothing happens: this is how long the difference may go unnoticed.
pub const LONGEST_WATCH: u32 = 60;

/// How many objects are asked for at once: a page is in memory as a whole, and an object may have 1.5 MB.
const PAGE: u32 = 10;

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
        let apis: Vec<Api<Guarded<K>>> = match watch.namespaces.as_slice() {
            [] => vec![Api::all(self.ctx.kube.clone())],
            some => some.iter().map(|name| Api::namespaced(self.ctx.kube.clone(), name)).collect(),
        };
        self.ctx.metrics.life.watches(K::KIND);
        let mut lists: Vec<List> = apis.iter().map(|_| List::new(&self.ctx.weights)).collect();
        let events = apis.into_iter().enumerate().map(|(place, api)| {
            watcher(api, watcher::Config::default().timeout(LONGEST_WATCH).page_size(PAGE))
                .backoff(Patience::default())
                .map(move |event| (place, event))
                .boxed()
        });
        let mut events = pin!(select_all(events).take_until(watch.stop.cancelled_owned()));
        while let Some((place, event)) = events.next().await {
            let (list, namespace) = (&mut lists[place], watch.namespaces.get(place));
            match event {
                Ok(event) => {
                    if matches!(event, Event::Init) {
                        self.ctx.metrics.life.listed(K::KIND);
                    }
                    for event in list.follow(event, &store, |unreadable| self.unreadable(unreadable)) {
                        writer.apply_watcher_event(&event);
                        self.follow(&event, &watch.wakers, !list.is_done);
                    }
                    if list.is_done && std::mem::take(&mut list.is_shut) {
                        self.opened(namespace);
                    }
                }
                Err(error) => list.is_shut |= self.failed(&error, namespace.filter(|_| !list.is_done)),
            }
            if lists.iter().all(|list| list.is_done || list.is_shut) {
                listed.cancel();
            }
        }
    }

    /// A watch failed; says whether that shuts a namespace, of which nothing is known yet. Others do not wait for it.
    fn failed(&self, error: &watcher::Error, unknown: Option<&String>) -> bool {
        self.ctx.metrics.life.watch_failed(K::KIND);
        let shut = unknown.filter(|_| is_refused(error));
        if let Some(namespace) = shut.filter(|namespace| self.ctx.shut.close(namespace, K::KIND)) {
            tracing::warn!(
                kind = K::KIND,
                namespace,
                "its objects may not be listed, so nothing is done in this namespace until they may: {error}"
            );
        } else {
            tracing::warn!(kind = K::KIND, "the watch failed, it goes on: {error}");
        }
        shut.is_some()
    }

    /// An object cannot be read: said where its people look, since nobody can write to its status.
    fn unreadable(&self, found: &Unreadable) {
        self.ctx.metrics.life.unreadable(K::KIND);
        let (namespace, name) = (&found.metadata.namespace, &found.metadata.name);
        self.memory.unreadable(&(namespace.clone().unwrap_or_default(), name.clone().unwrap_or_default()));
        tracing::warn!(
            kind = K::KIND,
            namespace,
            name,
            reason = Reason::UNREADABLE.word(),
            "an object cannot be read: {}",
            found.cause
        );
        if self.ctx.leads_since.get().is_some() {
            self.tell(found);
        } else {
            // Only the leader writes events.
            let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
            untold.retain(|other| other.metadata.uid != found.metadata.uid);
            untold.push(found.clone());
        }
    }

    fn tell(&self, Unreadable { metadata, cause, remedy }: &Unreadable) {
        let (namespace, name) = (metadata.namespace.clone(), metadata.name.clone());
        let regarding = ObjectReference {
            api_version: Some(K::api_version(&()).into_owned()),
            kind: Some(K::KIND.to_owned()),
            namespace,
            name,
            uid: metadata.uid.clone(),
            resource_version: metadata.resource_version.clone(),
            field_path: None,
        };
        let note = format!("the object has {cause}; {remedy}; until then nothing is done for it");
        self.ctx.recorder.record(&regarding, "Warning", Reason::UNREADABLE, &note);
    }

    fn opened(&self, namespace: Option<&String>) {
        let Some(namespace) = namespace else { return };
        self.ctx.shut.open(namespace, K::KIND);
        tracing::info!(kind = K::KIND, namespace, "its objects are listed now");
    }

    fn follow(&self, event: &Event<K>, wakers: &Wakers, is_listing: bool) {
        match event {
            Event::Apply(object) => {
                let name = name_of(object);
                let woken = self.ctx.relations().seen(&name, sight(object));
                let leads = self.ctx.leads_since.get().is_some();
                if self.memory.seen(object, fingerprint(object), is_listing, leads) {
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
        self.ctx.metrics.passes.begin(K::KIND);
        queue.open(self.ctx.metrics.queues.open(K::KIND, queue.clone()));
        let untold = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        for found in &untold {
            self.tell(found);
        }
        let of_passes = queue.clone();
        let passes = move |object: Arc<K>, engine: Arc<Self>| {
            let queue = of_passes.clone();
            async move { Ok::<_, std::convert::Infallible>(engine.counted(object, &queue).await) }
        };
        let never = |_: Arc<K>, _: &std::convert::Infallible, _: Arc<Self>| Action::await_change();
        Controller::for_stream(futures::stream::pending::<Result<K, watcher::Error>>(), store)
            .with_config(Config::default())
            .reconcile_on(exit(queue.clone()))
            .graceful_shutdown_on(stop.cancelled_owned())
            .run(passes, never, self)
            .for_each(|ended| {
                if let Err(error) = ended {
                    if let kube::runtime::controller::Error::ObjectNotFound(gone) = &error {
                        queue.lost(gone.namespace.as_deref().unwrap_or_default(), &gone.name);
                    }
                    tracing::debug!(kind = K::KIND, "no pass: {error}");
                }
                futures::future::ready(())
            })
            .await;
    }

    /// A pass, in a span of its own, counted with what it waited and how it ended.
    async fn counted(&self, object: Arc<K>, queue: &Queue) -> Action {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        let (number, started) = (queue.begun(&namespace, &name), Instant::now());
        let origin = self.memory.with(object.as_ref(), |recall| recall.origin.clone()).flatten();
        let mut span = PassSpan::new(object.as_ref(), K::KIND, origin);
        // What the pass sends is paid for by the namespace.
        let pass = PAYER.scope(Arc::from(namespace.as_str()), self.guarded(object.clone()));
        let ended = pass.instrument(span.span.clone()).await;
        span.ended(ended.outcome, ended.reason.as_ref().map(Word::as_str));
        let _entered = span.span.enter();
        tracing::debug!(due = ?ended.due, "{PASS}");
        self.ctx.metrics.passes.ended(K::KIND, ended.outcome, started.elapsed());
        // What has come to rest is done; what happens to it later is another story.
        let origin = span.origin.take().filter(|_| ended.outcome == Outcome::Working);
        self.memory.with(object.as_ref(), |recall| recall.origin = origin);
        queue.ended(number, matches!(ended.outcome, Outcome::Refused | Outcome::Panicked));
        ended.due.map_or_else(Action::await_change, Action::requeue)
    }

    /// A pass that panics is a pass that failed: it ends neither the process nor other passes.
    async fn guarded(&self, object: Arc<K>) -> Ended {
        if self.ctx.shut.has(&object.namespace().unwrap_or_default()) {
            return self.refused(object.as_ref());
        }
        if self.memory.with(object.as_ref(), |recall| recall.is_unreadable) == Some(true) {
            return Ended::GONE;
        }
        let ended = AssertUnwindSafe(self.pass(object.clone())).catch_unwind().await;
        match ended {
            Ok(Ok(ended)) => {
                self.memory.with(object.as_ref(), |recall| recall.refusals = 0);
                ended
            }
            Ok(Err(error)) => {
                tracing::warn!("{KUBERNETES_REFUSED}: {error}");
                self.refused(object.as_ref())
            }
            Err(_) => {
                tracing::error!("the pass panicked");
                let due = jittered(AFTER_PANIC, object.as_ref());
                Ended { due: Some(due), outcome: Outcome::Panicked, reason: None }
            }
        }
    }

    /// Kubernetes refused what the pass needs.
    fn refused(&self, object: &K) -> Ended {
        let count = self.memory.with(object, |recall| {
            recall.refusals = recall.refusals.saturating_add(1);
            recall.refusals
        });
        let due = jittered(after_refusals(count.unwrap_or(1)), object);
        Ended { due: Some(due), outcome: Outcome::Refused, reason: None }
    }
}

const AFTER_PANIC: Duration = Duration::from_mins(1);
