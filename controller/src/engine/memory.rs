//! What a process remembers of an object between passes: only how fresh things are, never what was decided.
//!
//! All of it can be lost at any moment; then a pass looks once more than it had to.

use azureml_crds::{PAUSED, RECONCILE_REQUESTED_AT};
use kube::{Resource, ResourceExt as _};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// What is remembered of one object.
#[derive(Debug)]
pub struct Recall<K> {
    /// The generation, and when it was first seen here.
    pub generation: (Option<i64>, Instant),
    /// Whether it was there when the watch began.
    pub was_listed: bool,
    /// The last write to Azure for it.
    pub wrote: Option<Instant>,
    /// How often something that goes on has been looked at; 0 when nothing does.
    pub attempt: u32,
    /// The object as the API server answered to our last write, while the watch may still be behind.
    pub newer: Option<Arc<K>>,
    /// What of it wakes a pass, as it was seen last.
    pub fingerprint: u64,
}

/// What is remembered of all objects of a kind, by namespace and name.
#[derive(Debug)]
pub struct Memory<K>(Mutex<HashMap<(String, String), Recall<K>>>);

impl<K> Default for Memory<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Resource> Memory<K> {
    /// The watch has seen an object; says whether that is worth a pass.
    pub fn seen(&self, object: &K, fingerprint: u64, is_listed: bool) -> bool {
        let now = Instant::now();
        let generation = object.meta().generation;
        let mut all = self.locked();
        let recall = all.entry(key(object)).or_insert_with(|| Recall {
            generation: (generation, now),
            was_listed: is_listed,
            wrote: None,
            attempt: 0,
            newer: None,
            fingerprint: !fingerprint,
        });
        if recall.generation.0 != generation {
            recall.generation = (generation, now);
            recall.was_listed = is_listed;
        }
        if recall.newer.as_ref().is_some_and(|newer| version(newer.as_ref()) <= version(object)) {
            recall.newer = None;
        }
        std::mem::replace(&mut recall.fingerprint, fingerprint) != fingerprint
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

fn key<K: Resource>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// Resource versions of one object grow (Kubernetes 1.35: "resource version comparison").
pub fn version<K: Resource>(object: &K) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// A number for a value.
pub fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What of an object wakes a pass of its own: never its status.
pub fn fingerprint<K: Resource>(object: &K) -> u64 {
    let meta = object.meta();
    let annotation = |key| meta.annotations.as_ref().and_then(|all| all.get(key));
    let is_deleted = meta.deletion_timestamp.is_some();
    hash((
        &meta.uid,
        meta.generation,
        &meta.finalizers,
        is_deleted,
        annotation(PAUSED),
        annotation(RECONCILE_REQUESTED_AT),
    ))
}
