//! What one watch knows of its objects, so that a list that is begun anew also says what is gone; and how many are in what state.

use super::Kind;
use super::guard::{Guarded, Unreadable};
use super::weight::{Weights, weight};
use crate::metrics::Counted;
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{JOB, PAUSED, RECONCILE_REQUESTED_AT};
use azureml_plan::run::{MANAGED, TRACKED};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt as _};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The namespace and the name of an object.
type Key = (String, String);

/// The annotations that are read. `kubectl apply` adds the whole manifest once more, and others up to 256 KiB.
const READ: [&str; 4] = [JOB, PAUSED, RECONCILE_REQUESTED_AT, TRACKED];

/// One watch's knowledge of what there is: a list that was begun anew says by silence what is gone. What cannot be read is there:
/// the last of it that could be read stays.
#[derive(Default)]
pub(super) struct List {
    /// Each with its weight.
    known: HashMap<Key, usize>,
    weights: Arc<Weights>,
    listing: HashSet<Key>,
    pub(super) is_done: bool,
    /// Whether it was refused, and did not come since.
    pub(super) is_shut: bool,
}

impl List {
    /// A list whose objects weigh together with those of others.
    pub(super) fn new(weights: &Arc<Weights>) -> Self {
        Self { weights: weights.clone(), ..Self::default() }
    }

    /// An event as changes of single objects; what cannot be read is told.
    pub(super) fn follow<K: Kind>(
        &mut self,
        event: Event<Guarded<K>>,
        store: &Store<K>,
        tell: impl Fn(&Unreadable),
    ) -> Vec<Event<K>> {
        let stored = |(namespace, name): &Key| store.get(&ObjectRef::new(name).within(namespace));
        let gone = |key: &Key| stored(key).map(|object| Event::Delete(object.as_ref().clone()));
        match event {
            Event::Init => {
                self.listing.clear();
                Vec::new()
            }
            Event::InitApply(guarded) => {
                self.listing.insert(key(&guarded));
                self.apply(guarded, tell).into_iter().collect()
            }
            Event::InitDone => {
                self.is_done = true;
                let is_absent = |key: &&Key| !self.listing.contains(*key);
                let absent: Vec<Key> = self.known.keys().filter(is_absent).cloned().collect();
                for key in &absent {
                    self.forget(key);
                }
                self.listing.clear();
                absent.iter().filter_map(gone).collect()
            }
            Event::Apply(guarded) => self.apply(guarded, tell).into_iter().collect(),
            Event::Delete(guarded) => {
                let key = key(&guarded);
                self.forget(&key);
                guarded
                    .0
                    .map_or_else(|_| gone(&key), |object| Some(Event::Delete(object)))
                    .into_iter()
                    .collect()
            }
        }
    }

    fn apply<K: Kind>(&mut self, guarded: Guarded<K>, tell: impl Fn(&Unreadable)) -> Option<Event<K>> {
        let key = key(&guarded);
        let mut object = guarded.0.inspect_err(&tell).ok()?;
        // They only weigh on memory.
        object.managed_fields_mut().clear();
        object.annotations_mut().retain(|name, _| READ.contains(&name.as_str()));
        object.labels_mut().retain(|name, _| MANAGED.contains(&name.as_str()));
        let (before, weight) = (self.known.get(&key).copied().unwrap_or_default(), weight(&object));
        // One that is to go is always taken: it would stay for ever.
        let is_leaving = object.meta().deletion_timestamp.is_some();
        let weight = if is_leaving { 0 } else { weight };
        if let Err((cause, remedy)) = self.weights.take(&key.0, before, weight) {
            tell(&Unreadable { metadata: object.meta().clone(), cause, remedy });
            return None;
        }
        self.known.insert(key, weight);
        Some(Event::Apply(object))
    }

    fn forget(&mut self, key: &Key) {
        if let Some(weight) = self.known.remove(key) {
            self.weights.give_back(&key.0, weight);
        }
    }
}

fn key<K: Resource>(object: &K) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// The conditions that are counted. Others may be written by anybody who may write `status`.
const CONDITIONS: [&str; 5] = ["Ready", "Reconciling", "Stalled", "Paused", "Succeeded"];
const STATUSES: [&str; 3] = ["True", "False", "Unknown"];

/// How many objects of a kind there are, and in each namespace how many have each condition.
#[must_use]
pub fn counted<K: Kind>(store: &Store<K>) -> Counted {
    let objects = store.state();
    let mut all = BTreeMap::<&str, [[i64; STATUSES.len()]; CONDITIONS.len()]>::new();
    for object in &objects {
        let namespace = object.meta().namespace.as_deref().unwrap_or_default();
        let counts = all.entry(namespace).or_default();
        for condition in object.status().iter().flat_map(|status| &status.common().conditions) {
            let r#type = CONDITIONS.iter().position(|word| *word == condition.type_);
            let status = STATUSES.iter().position(|word| *word == condition.status);
            if let (Some(r#type), Some(status)) = (r#type, status) {
                counts[r#type][status] += 1;
            }
        }
    }
    let mut conditions = Vec::new();
    for (namespace, counts) in all {
        for (r#type, counts) in CONDITIONS.into_iter().zip(counts) {
            for (status, count) in STATUSES.into_iter().zip(counts) {
                // What everybody looks at is there also when no object of the namespace has it.
                if count > 0 || (status == "True" && CONDITIONS[..3].contains(&r#type)) {
                    conditions.push((namespace.to_owned(), r#type, status, count));
                }
            }
        }
    }
    let all = i64::try_from(objects.len()).unwrap_or(i64::MAX);
    Counted { kind: K::KIND, all, conditions }
}

/// Adds the namespaces that hold objects of a kind.
pub fn gather<K: Kind>(store: &Store<K>, namespaces: &mut BTreeSet<String>) {
    for object in store.state() {
        let namespace = object.meta().namespace.as_deref().unwrap_or_default();
        if !namespaces.contains(namespace) {
            namespaces.insert(namespace.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_crds::MLCompute;
    use kube::runtime::reflector::store;
    use serde_json::json;

    #[test]
    fn conditions_are_counted_and_what_is_gone_or_made_up_is_not() {
        let (reader, mut writer) = store::<MLCompute>();
        let object = |namespace: &str, name: &str, r#type: &str| -> MLCompute {
            let condition = json!({"type": r#type, "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
            let object = json!({
                "apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute", "metadata": {"name": name, "namespace": namespace},
                "spec": {"workspaceRef": {"name": "w"}, "vmSize": "Standard_DS3_v2", "scale": {"max": 4}},
                "status": {"conditions": [condition]},
            });
            serde_json::from_value(object).unwrap()
        };
        for (name, r#type) in [("a", "Ready"), ("b", "Ready"), ("c", "Paused"), ("d", "MadeUp")] {
            writer.apply_watcher_event(&Event::Apply(object("m", name, r#type)));
        }
        writer.apply_watcher_event(&Event::Apply(object("n", "a", "Stalled")));
        writer.apply_watcher_event(&Event::Apply(object("o", "a", "Stalled")));
        writer.apply_watcher_event(&Event::Delete(object("m", "b", "Ready")));
        writer.apply_watcher_event(&Event::Delete(object("o", "a", "Stalled")));
        let counted = counted(&reader);
        assert_eq!((counted.kind, counted.all), ("MLCompute", 4));
        let rows = [
            ("m", "Ready", "True", 1),
            ("m", "Reconciling", "True", 0),
            ("m", "Stalled", "True", 0),
            ("m", "Paused", "True", 1),
            ("n", "Ready", "True", 0),
            ("n", "Reconciling", "True", 0),
            ("n", "Stalled", "True", 1),
        ];
        assert_eq!(
            counted.conditions,
            rows.map(|(of, r#type, status, count)| (of.to_owned(), r#type, status, count))
        );
        let mut namespaces = BTreeSet::new();
        gather(&reader, &mut namespaces);
        assert_eq!(namespaces, BTreeSet::from(["m", "n"].map(str::to_owned)));
    }
}
