//! What a process remembers of an object between passes: only how fresh things are, never what was decided.
//!
//! All of it can be lost at any moment; then a pass looks once more than it had to.

use super::Kind;
use super::delays::MOST_AT_ONCE;
use super::fingerprint::version;
use crate::clock;
use crate::telemetry::Origin;
use azureml_client::ArmId;
use azureml_crds::shared::HasCommon as _;
use azureml_plan::Next;
use kube::{Resource, ResourceExt as _};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What is remembered of one object.
#[derive(Debug)]
pub struct Recall<K> {
    /// The generation, and when it was first seen here.
    pub generation: (Option<i64>, Instant),
    /// Whether it was there when the watch began.
    pub was_listed: bool,
    /// Whether the object was there before this process led: an earlier process may have written to Azure for it.
    pub is_inherited: bool,
    /// The last write to Azure for it.
    pub wrote: Option<Instant>,
    /// When a write was last held back, for an operation that went on. What was read before is out of date.
    pub held: Option<Instant>,
    /// The resources that this process is creating or changing in Azure for it, as of the last write.
    pub targets: Vec<ArmId>,
    /// How often something that goes on has been looked at; 0 when nothing does.
    pub attempt: u32,
    /// How many passes asked for another one at once since the object was at rest, or was changed.
    pub at_once: u32,
    /// How often in a row Kubernetes refused what a pass needed.
    pub refusals: u32,
    /// The object as the API server answered to our last write, while the watch may still be behind.
    pub newer: Option<Arc<K>>,
    /// Whether what it is now cannot be read: what is known of it is out of date, and nothing is done for it.
    pub is_unreadable: bool,
    /// What of it wakes a pass, as it was seen last.
    pub fingerprint: u64,
    /// Since when its generation is on the way to Ready, where that was seen.
    pub on_its_way: Option<Instant>,
    /// Where the trace of its generation began, until it comes to rest.
    pub origin: Option<Origin>,
}

impl<K> Recall<K> {
    /// Counts a pass that ended, so that no loop goes on for ever without waiting longer.
    pub(super) fn count(&mut self, next: Next) {
        match next {
            Next::Now => {
                self.at_once = self.at_once.saturating_add(1);
                if self.at_once <= MOST_AT_ONCE {
                    self.attempt = 0;
                }
            }
            Next::Look | Next::Again => self.attempt = self.attempt.saturating_add(1),
            Next::After(_) | Next::Tick | Next::Change | Next::Leave | Next::Absent => {
                (self.attempt, self.at_once) = (0, 0);
            }
        }
    }
}

/// What is remembered of all objects of a kind, by namespace and name.
#[derive(Debug)]
pub struct Memory<K>(Mutex<HashMap<(String, String), Recall<K>>>);

impl<K> Default for Memory<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Kind> Memory<K> {
    /// The watch has seen an object; says whether that is worth a pass.
    pub fn seen(&self, object: &K, fingerprint: u64, is_listed: bool, leads: bool) -> bool {
        let now = Instant::now();
        let generation = object.meta().generation;
        let mut all = self.locked();
        let recall = all.entry(key(object)).or_insert_with(|| Recall {
            generation: (generation, now),
            was_listed: is_listed,
            is_inherited: is_listed || !leads,
            wrote: None,
            held: None,
            targets: Vec::new(),
            attempt: 0,
            at_once: 0,
            refusals: 0,
            newer: None,
            is_unreadable: false,
            fingerprint: !fingerprint,
            on_its_way: began(object, is_listed, now),
            origin: None,
        });
        if recall.generation.0 != generation {
            recall.generation = (generation, now);
            recall.was_listed = is_listed;
            recall.on_its_way = began(object, is_listed, now);
            recall.origin = None;
            recall.at_once = 0;
        }
        recall.is_unreadable = false;
        if recall.newer.as_ref().is_some_and(|newer| version(newer.as_ref()) <= version(object)) {
            recall.newer = None;
        }
        std::mem::replace(&mut recall.fingerprint, fingerprint) != fingerprint
    }

    /// An object of a namespace and a name became one that cannot be read.
    pub fn unreadable(&self, key: &(String, String)) {
        if let Some(recall) = self.locked().get_mut(key) {
            recall.is_unreadable = true;
        }
    }

    /// An object is gone.
    pub fn forget(&self, object: &K) {
        self.locked().remove(&key(object));
    }

    /// Reads or changes what is remembered of an object; `None` when the watch has not seen it (any more).
    pub fn with<T>(&self, object: &K, change: impl FnOnce(&mut Recall<K>) -> T) -> Option<T> {
        self.locked().get_mut(&key(object)).map(change)
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<(String, String), Recall<K>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since when a generation is on the way to Ready. Of a change that was made before we looked nobody knows, but for an
/// object that nobody has touched yet: it is as old as it is.
fn began<K: Kind>(object: &K, is_listed: bool, now: Instant) -> Option<Instant> {
    if !is_listed {
        return Some(now);
    }
    let is_untouched = object.status().is_none_or(|status| status.common().conditions.is_empty());
    let made = object.meta().creation_timestamp.as_ref().filter(|_| is_untouched)?.0;
    let age = Duration::try_from(clock::now().duration_since(made)).ok()?;
    if object.meta().generation == Some(1) { now.checked_sub(age) } else { None }
}

fn key<K: Resource>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_crds::MLCompute;
    use serde_json::json;

    fn compute(generation: i64, conditions: &serde_json::Value) -> MLCompute {
        let made = (clock::now() - jiff::SignedDuration::from_mins(10)).to_string();
        let object = json!({
            "apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute",
            "metadata": {"name": "cpu", "namespace": "n", "generation": generation, "creationTimestamp": made},
            "spec": {"workspaceRef": {"name": "w"}, "vmSize": "Standard_DS3_v2", "scale": {"max": 4}},
            "status": {"conditions": conditions},
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn an_object_is_on_its_way_since_it_changed_or_since_it_was_made_when_nobody_touched_it() {
        let now = Instant::now() + Duration::from_hours(1);
        let age = |object: &MLCompute, is_listed| {
            began(object, is_listed, now).map(|since| now.duration_since(since).as_secs())
        };
        let (none, ready) = (
            json!([]),
            json!([{"type": "Ready", "status": "True", "reason": "Succeeded",
            "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]),
        );
        assert_eq!(age(&compute(2, &ready), false), Some(0), "it changed just now");
        assert!(age(&compute(1, &none), true).unwrap() >= 600, "it waited for us since it was made");
        assert_eq!(age(&compute(1, &ready), true), None, "it was Ready before");
        assert_eq!(age(&compute(2, &none), true), None, "when it changed is not known");
    }
}
