//! The finalizer: it keeps an object in Kubernetes until nothing of it is left in Azure.
//!
//! In: an object. Out: its stage; the object with the finalizer, or without it. Decides nothing about Azure.

use super::Kind;
use crate::MANAGER;
use azureml_crds::FINALIZER;
use kube::ResourceExt as _;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

/// The stage of an object's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has no finalizer of ours yet, or not what is written beside it.
    New,
    /// It has our finalizer.
    Kept,
    /// It is being deleted, and our finalizer keeps it.
    Deleting,
    /// It is being deleted, without our finalizer.
    Gone,
}

/// The stage of an object.
pub fn stage<K: Kind>(object: &K) -> Stage {
    let has_ours = object.meta().finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER);
    match (object.meta().deletion_timestamp.is_some(), has_ours) {
        (false, true) if is_marked(object) => Stage::Kept,
        (false, _) => Stage::New,
        (true, true) => Stage::Deleting,
        (true, false) => Stage::Gone,
    }
}

/// Whether an object has the annotation that its kind writes.
fn is_marked<K: Kind>(object: &K) -> bool {
    object.mark().is_none_or(|(key, value)| object.annotations().get(key) == Some(&value))
}

/// Adds our finalizer, and what is written beside it; gives the object as it is now.
///
/// # Errors
/// When Kubernetes refuses, also because the object was changed meanwhile.
pub async fn add<K: Kind>(api: &Api<K>, object: &K) -> kube::Result<K> {
    let others = object.meta().finalizers.iter().flatten().filter(|finalizer| *finalizer != FINALIZER);
    let mut metadata =
        json!({"finalizers": others.cloned().chain([FINALIZER.to_owned()]).collect::<Vec<_>>()});
    if let Some((key, value)) = object.mark() {
        metadata["annotations"] = json!({key: value});
    }
    patch(api, object, metadata).await
}

/// Removes our finalizer.
///
/// # Errors
/// As [`add`]; an object that is gone is no error.
pub async fn remove<K: Kind>(api: &Api<K>, object: &K) -> kube::Result<()> {
    let finalizers = object.meta().finalizers.iter().flatten().filter(|finalizer| *finalizer != FINALIZER);
    match patch(api, object, json!({"finalizers": finalizers.cloned().collect::<Vec<_>>()})).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        answer => answer.map(drop),
    }
}

/// A list of finalizers belongs to many, so it is only changed as it was read.
async fn patch<K: Kind>(api: &Api<K>, object: &K, mut metadata: Value) -> kube::Result<K> {
    let meta = object.meta();
    metadata["resourceVersion"] = json!(meta.resource_version);
    let patch = json!({"metadata": metadata});
    let name = meta.name.as_deref().unwrap_or_default();
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    api.patch(name, &params, &Patch::Merge(&patch)).await
}
