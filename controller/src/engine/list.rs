//! What one watch knows of its objects, so that a list that is begun anew also says what is gone; and how many are in what state.

use super::Kind;
use crate::metrics::{Counted, Metrics};
use azureml_crds::shared::HasCommon as _;
use kube::ResourceExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use std::collections::HashSet;

/// One watch's knowledge of what there is: a list that was begun anew says by silence what is gone.
#[derive(Default)]
pub(super) struct List {
    known: HashSet<(String, String)>,
    listing: HashSet<(String, String)>,
    pub(super) is_done: bool,
    /// Whether it was refused, and did not come since.
    pub(super) is_shut: bool,
}

impl List {
    /// An event as changes of single objects.
    pub(super) fn follow<K: Kind>(
        &mut self,
        event: Event<DeserializeGuard<K>>,
        store: &Store<K>,
        metrics: &Metrics,
    ) -> Vec<Event<K>> {
        match event {
            Event::Init => {
                metrics.life.listed(K::KIND);
                self.listing.clear();
                Vec::new()
            }
            Event::InitApply(object) => readable(object, metrics)
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
            Event::Apply(object) => readable(object, metrics)
                .map(|object| {
                    self.known.insert(key(&object));
                    Event::Apply(object)
                })
                .into_iter()
                .collect(),
            Event::Delete(object) => readable(object, metrics)
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
fn readable<K: Kind>(guard: DeserializeGuard<K>, metrics: &Metrics) -> Option<K> {
    match guard.0 {
        Ok(mut object) => {
            object.managed_fields_mut().clear();
            Some(object)
        }
        Err(invalid) => {
            metrics.life.unreadable(K::KIND);
            tracing::warn!(
                kind = K::KIND,
                name = invalid.metadata.name,
                "an object cannot be read: {invalid}"
            );
            None
        }
    }
}

/// The conditions that are counted. Others may be written by anybody who may write `status`.
const CONDITIONS: [&str; 5] = ["Ready", "Reconciling", "Stalled", "Paused", "Succeeded"];
const STATUSES: [&str; 3] = ["True", "False", "Unknown"];

/// How many objects of a kind there are, and how many have each condition.
#[must_use]
pub fn counted<K: Kind>(store: &Store<K>) -> Counted {
    let objects = store.state();
    let mut counts = [[0_i64; STATUSES.len()]; CONDITIONS.len()];
    for status in objects.iter().filter_map(|object| object.status()) {
        for condition in &status.common().conditions {
            let r#type = CONDITIONS.iter().position(|word| *word == condition.type_);
            let status = STATUSES.iter().position(|word| *word == condition.status);
            if let (Some(r#type), Some(status)) = (r#type, status) {
                counts[r#type][status] += 1;
            }
        }
    }
    let conditions = CONDITIONS.iter().zip(counts).flat_map(|(r#type, counts)| {
        STATUSES.iter().zip(counts).map(move |(status, count)| (*r#type, *status, count))
    });
    // What everybody looks at is there also when nothing has it.
    let is_told =
        |row: &(&str, &str, i64)| row.2 > 0 || (row.1 == "True" && CONDITIONS[..3].contains(&row.0));
    let conditions = conditions.filter(is_told);
    let all = i64::try_from(objects.len()).unwrap_or(i64::MAX);
    Counted { kind: K::KIND, all, conditions: conditions.collect() }
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
        let object = |name: &str, r#type: &str| -> MLCompute {
            let condition = json!({"type": r#type, "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
            let object = json!({
                "apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute", "metadata": {"name": name, "namespace": "n"},
                "spec": {"workspaceRef": {"name": "w"}, "vmSize": "Standard_DS3_v2", "scale": {"max": 4}},
                "status": {"conditions": [condition]},
            });
            serde_json::from_value(object).unwrap()
        };
        for (name, r#type) in [("a", "Ready"), ("b", "Ready"), ("c", "Paused"), ("d", "MadeUp")] {
            writer.apply_watcher_event(&Event::Apply(object(name, r#type)));
        }
        writer.apply_watcher_event(&Event::Delete(object("b", "Ready")));
        let counted = counted(&reader);
        assert_eq!((counted.kind, counted.all), ("MLCompute", 3));
        let rows =
            [("Ready", "True", 1), ("Reconciling", "True", 0), ("Stalled", "True", 0), ("Paused", "True", 1)];
        assert_eq!(counted.conditions, rows);
    }
}
