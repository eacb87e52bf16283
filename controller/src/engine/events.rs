//! Events: what happened to an object, for `kubectl describe`. Written aside, at most so many at once, and never in the way of a pass.

use super::Context;
use crate::metrics::Metrics;
use azureml_client::send::Gate;
use azureml_plan::report;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime};
use kube::Client;
use kube::api::{Api, PostParams};
use kube::core::ObjectMeta;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};

const COMPONENT: &str = "azureml-operator";
/// The longest note that the API takes.
const LONGEST_NOTE: usize = 1024;
/// Events that wait to be written.
const WAITING: usize = 4096;

/// Takes events.
#[derive(Clone)]
pub struct Recorder {
    entrance: Sender<Event>,
    metrics: Arc<Metrics>,
    instance: String,
}

impl Recorder {
    /// A recorder, and the queue that [`write_all`] empties.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, instance: String) -> (Self, Receiver<Event>) {
        let (entrance, exit) = channel(WAITING);
        (Self { entrance, metrics, instance }, exit)
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
            self.record(object, kind, &condition.reason, &condition.message);
        }
    }

    /// Records one event.
    pub fn record(&self, object: &ObjectReference, kind: &str, reason: &str, note: &str) {
        let event = Event {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}-", object.name.as_deref().unwrap_or("object"))),
                namespace: object.namespace.clone(),
                ..ObjectMeta::default()
            },
            action: Some("Reconcile".to_owned()),
            event_time: Some(MicroTime(Context::now())),
            note: Some(cut(note)),
            reason: Some(reason.chars().take(128).collect()),
            regarding: Some(object.clone()),
            reporting_controller: Some(COMPONENT.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some(kind.to_owned()),
            ..Event::default()
        };
        if self.entrance.try_send(event).is_err() {
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

/// Writes events until nobody records any more. One that is refused is lost: in a namespace that is going, all are. Whoever
/// leads no more tells nothing more.
pub async fn write_all(client: Client, mut queue: Receiver<Event>, gate: Gate, metrics: Arc<Metrics>) {
    while let Some(event) = queue.recv().await {
        if !gate() {
            metrics.life.event_lost();
            continue;
        }
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
        if let Err(error) = api.create(&PostParams::default(), &event).await {
            tracing::debug!("an event was not written: {error}");
            metrics.life.event_lost();
        }
    }
}
