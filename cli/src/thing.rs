//! An object of one of our kinds as verbs look at it: its names, its times and its conditions, whatever the kind.
//!
//! In: an object as kubectl prints it. Out: plain values, whose texts do nothing to a terminal: others write them, and Azure. What a status
//! lacks, or has in another shape, is absent. Pure.

use crate::named::named;
use crate::objects::namespace_of;
use crate::said::plain;
use azureml_crds::ml_run::Phase;
use jiff::Timestamp;
use serde_json::Value;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its type.
    pub name: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Its reason.
    pub reason: String,
    /// Its message.
    pub message: String,
    /// Since when it has this status.
    pub since: Option<Timestamp>,
}

/// An object of one of our kinds.
#[derive(Clone, Debug, PartialEq)]
pub struct Thing {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The whole object, with plain texts.
    pub object: Value,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A value whose texts, and whose keys, are plain.
fn plainly(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(plain(&text)),
        Value::Array(values) => values.into_iter().map(plainly).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (plain(&key), plainly(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// A moment as Kubernetes writes it.
#[must_use]
pub fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Whether nothing follows a phase, of a run or of a step.
#[must_use]
pub fn is_finished(phase: &str) -> bool {
    serde_json::from_value(Value::from(phase)).is_ok_and(Phase::is_finished)
}

fn condition(value: &Value) -> Condition {
    Condition {
        name: text(&value["type"]),
        status: text(&value["status"]),
        reason: text(&value["reason"]),
        message: text(&value["message"]),
        since: moment(&value["lastTransitionTime"]),
    }
}

/// The objects of our kinds among others; those without a namespace are in the given one. By namespace, then in the order in which kinds
/// depend on each other, then by name.
#[must_use]
pub fn things(objects: Vec<Value>, namespace: &str) -> Vec<Thing> {
    let kinds = azureml_crds::kinds();
    let rank = |thing: &Thing| kinds.iter().position(|kind| *kind == thing.kind);
    let mut all: Vec<Thing> = objects
        .into_iter()
        .filter(|object| object["kind"].as_str().is_some_and(|kind| azureml_crds::plural(kind).is_some()))
        .map(|object| Thing::of(object, namespace))
        .collect();
    all.sort_by_cached_key(|thing| (thing.namespace.clone(), rank(thing), thing.name.clone()));
    all
}

impl Thing {
    /// An object, whose namespace is the given one where it names none.
    #[must_use]
    pub fn of(object: Value, namespace: &str) -> Self {
        let object = plainly(object);
        let conditions = object["status"]["conditions"].as_array().into_iter().flatten().map(condition);
        Self {
            kind: text(&object["kind"]),
            namespace: namespace_of(&object, namespace),
            name: text(&object["metadata"]["name"]),
            conditions: conditions.collect(),
            object,
        }
    }

    /// How people name it: `MLRun/nightly-1`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// What the user wrote.
    #[must_use]
    pub fn spec(&self) -> &Value {
        &self.object["spec"]
    }

    /// What the operator answered.
    #[must_use]
    pub fn status(&self) -> &Value {
        &self.object["status"]
    }

    /// A condition by its type.
    #[must_use]
    pub fn condition(&self, name: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.name == name)
    }

    /// Whether a condition is True.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.condition(name).is_some_and(|condition| condition.status == "True")
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        moment(&self.object["metadata"]["creationTimestamp"])
    }

    /// Since when it is being deleted.
    #[must_use]
    pub fn leaving(&self) -> Option<Timestamp> {
        moment(&self.object["metadata"]["deletionTimestamp"])
    }

    /// Whether the operator has looked at it since its spec was changed.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        let (seen, now) = (&self.status()["observedGeneration"], &self.object["metadata"]["generation"]);
        !self.conditions.is_empty() && (now.is_null() || seen == now)
    }

    /// Whether it asks for nothing to be changed in Azure.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.object["metadata"]["annotations"][azureml_crds::PAUSED] == "true"
    }

    /// Where a run is, such as `Running`; none for other kinds.
    #[must_use]
    pub fn phase(&self) -> Option<&str> {
        self.status()["phase"].as_str().filter(|_| self.kind == "MLRun")
    }

    /// Whether it is a run that has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.phase().is_some_and(is_finished)
    }

    /// Whether it names another object.
    #[must_use]
    pub fn names(&self, other: &Self) -> bool {
        let other = (other.kind.as_str(), other.namespace.as_str(), other.name.as_str());
        named(self.spec()).iter().any(|one| one.is(&self.namespace, other))
    }
}
