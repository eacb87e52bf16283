//! Events: what happened to an object, for `kubectl describe`. Written aside, at most so many at once, and never in the way of a pass.

use crate::MANAGER;
use crate::clock;
use crate::metrics::Metrics;
use azureml_client::send::Gate;
use azureml_plan::reasons::{Reason, Turn};
use azureml_plan::report;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime};
use kube::Client;
use kube::api::{Api, PostParams};
use kube::core::ObjectMeta;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;

const COMPONENT: &str = "azureml-operator";
/// The longest note that the API takes.
const LONGEST_NOTE: usize = 1024;
/// Events that wait to be written.
const WAITING: usize = 4096;
/// The same, of one namespace.
const WAITING_OF_ONE: usize = 512;

/// How many events of each namespace wait.
type Shares = Arc<Mutex<HashMap<String, usize>>>;

/// Takes events.
#[derive(Clone)]
pub struct Recorder {
    entrance: Sender<Event>,
    metrics: Arc<Metrics>,
    instance: String,
    shares: Shares,
}

/// The queue that [`write_all`] empties.
pub struct Queue {
    exit: Receiver<Event>,
    shares: Shares,
}

impl Queue {
    async fn next(&mut self) -> Option<Event> {
        let event = self.exit.recv().await?;
        let namespace = event.metadata.namespace.as_deref().unwrap_or_default();
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get_mut(namespace) {
            *share -= 1;
            if *share == 0 {
                shares.remove(namespace);
            }
        }
        drop(shares);
        Some(event)
    }
}

impl Recorder {
    /// A recorder, and the queue that [`write_all`] empties.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, instance: String) -> (Self, Queue) {
        let (entrance, exit) = channel(WAITING);
        let shares = Shares::default();
        (Self { entrance, metrics, instance, shares: shares.clone() }, Queue { exit, shares })
    }

    /// Puts an event into the queue; false where its namespace has as many there as it may, or all together have.
    fn enter(&self, event: Event) -> bool {
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(namespace).or_default();
        let is_in = *share < WAITING_OF_ONE && self.entrance.try_send(event).is_ok();
        *share += usize::from(is_in);
        shares.retain(|_, share| *share > 0);
        is_in
    }

    /// Records one event for every condition that became another.
    pub fn transitions(&self, object: &ObjectReference, before: &[Condition], after: &[Condition]) {
        let mut told: Option<(&str, &str)> = None;
        for condition in report::transitions(before, after) {
            let words = (condition.reason.as_str(), condition.message.as_str());
            if told.replace(words) == Some(words) {
                continue;
            }
            let is_bad = after.iter().any(|other| other.type_ == "Stalled") && condition.status == "False";
            let kind = if is_bad { "Warning" } else { "Normal" };
            self.write(object, kind, &condition.reason, &condition.message);
        }
    }

    /// Records one event.
    pub fn record(&self, object: &ObjectReference, kind: &str, reason: Reason, note: &str) {
        self.write(object, kind, reason.word(), note);
    }

    /// Records what a plan tells: a warning, unless it is nobody's turn.
    pub fn tell(&self, object: &ObjectReference, reason: Reason, note: &str) {
        let kind = if reason.turn() == Turn::Nobody { "Normal" } else { "Warning" };
        self.record(object, kind, reason, note);
    }

    fn write(&self, object: &ObjectReference, kind: &str, reason: &str, note: &str) {
        let event = Event {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}-", object.name.as_deref().unwrap_or("object"))),
                namespace: object.namespace.clone(),
                ..ObjectMeta::default()
            },
            action: Some("Reconcile".to_owned()),
            event_time: Some(MicroTime(clock::now())),
            note: Some(cut(note)),
            reason: Some(reason.chars().take(128).collect()),
            regarding: Some(object.clone()),
            reporting_controller: Some(COMPONENT.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some(kind.to_owned()),
            ..Event::default()
        };
        if !self.enter(event) {
            self.metrics.life.event_lost();
        }
    }
}

/// A note of at most 1,024 bytes that ends at a character.
fn cut(note: &str) -> String {
    let mut end = note.len().min(LONGEST_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note[..end].to_owned()
}

/// Writes events until `last` says that no more will be recorded, and what was recorded is written. One that is refused is
/// lost: in a namespace that is going, all are. A former leader drops its events.
pub async fn write_all(
    client: Client,
    mut queue: Queue,
    gate: Gate,
    (metrics, last): (Arc<Metrics>, CancellationToken),
) {
    let mut is_open = true;
    loop {
        let event = tokio::select! {
            event = queue.next() => event,
            () = last.cancelled(), if is_open => {
                is_open = false;
                queue.exit.close();
                continue;
            }
        };
        let Some(event) = event else { return };
        if !gate() {
            metrics.life.event_lost();
            continue;
        }
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        if let Err(error) = api.create(&params, &event).await {
            tracing::debug!("an event was not written: {error}");
            metrics.life.event_lost();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_namespace_with_many_events_loses_its_own_alone() {
        let (recorder, mut queue) = Recorder::new(Arc::default(), "us".to_owned());
        let of = |namespace: &str| ObjectReference {
            namespace: Some(namespace.to_owned()),
            ..ObjectReference::default()
        };
        (0..2 * WAITING).for_each(|_| recorder.write(&of("a"), "Normal", "Many", ""));
        recorder.write(&of("b"), "Normal", "One", "");
        let mut all = Vec::new();
        while all.len() <= WAITING_OF_ONE {
            all.push(queue.next().await.unwrap().metadata.namespace.unwrap());
        }
        assert_eq!(all.last().map(String::as_str), Some("b"));
        recorder.write(&of("a"), "Normal", "Again", "");
        assert!(queue.next().await.is_some());
    }

    #[tokio::test]
    async fn what_was_recorded_before_the_end_is_written() {
        let metrics = Arc::new(Metrics::default());
        let (recorder, queue) = Recorder::new(metrics.clone(), "us".to_owned());
        let object = ObjectReference { namespace: Some("n".to_owned()), ..ObjectReference::default() };
        for reason in ["One", "Two", "Three"] {
            recorder.write(&object, "Normal", reason, "");
        }
        let written = Arc::new(AtomicUsize::new(0));
        let count = written.clone();
        let client = fake::client(move |asked| {
            count.fetch_add(1, Ordering::SeqCst);
            async move { fake::answer(&asked.body) }
        });
        let last = CancellationToken::new();
        last.cancel();
        // The recorder is still there, as the metrics of a process that ends keep it.
        write_all(client, queue, Arc::new(|| true), (metrics, last)).await;
        assert_eq!(written.load(Ordering::SeqCst), 3);
        drop(recorder);
    }
}
