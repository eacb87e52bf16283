//! What of an object tells whether it changed: its resource version, and a number for what wakes a pass.

use azureml_crds::shared::HasCommon;
use azureml_crds::{JOB, PAUSED, RECONCILE_REQUESTED_AT};
use kube::core::object::HasStatus;
use kube::{Resource, ResourceExt as _};
use std::hash::{DefaultHasher, Hash, Hasher as _};

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

/// How an object is, for those that wait for a name that it has in Azure: where that changes, it may have given the name away.
pub fn state<K: Resource + HasStatus<Status: HasCommon>>(object: &K) -> u64 {
    let common = object.status().map(HasCommon::common);
    let ready = common.and_then(|common| common.conditions.iter().find(|known| known.type_ == "Ready"));
    let ready = ready.map(|ready| (&ready.status, &ready.reason));
    let (meta, observed) = (object.meta(), common.and_then(|common| common.observed_generation));
    hash((meta.generation, observed, meta.deletion_timestamp.is_some(), ready))
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
        annotation(JOB),
        annotation(RECONCILE_REQUESTED_AT),
    ))
}
