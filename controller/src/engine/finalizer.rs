//! The finalizer: it keeps an object in Kubernetes until nothing of it is left in Azure.
//!
//! In: an object. Out: its stage; the object with the finalizer, or without it. Decides nothing about Azure.

use super::Kind;
use crate::MANAGER;
use azureml_crds::FINALIZER;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

/// The stage of an object's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has no finalizer of ours yet.
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
        (false, false) => Stage::New,
        (false, true) => Stage::Kept,
        (true, true) => Stage::Deleting,
        (true, false) => Stage::Gone,
    }
}

/// Adds our finalizer; gives the object as it is now.
///
/// # Errors
/// When Kubernetes refuses, also because the object was changed meanwhile.
pub async fn add<K: Kind>(api: &Api<K>, object: &K) -> kube::Result<K> {
    let finalizers = object.meta().finalizers.iter().flatten().cloned().chain([FINALIZER.to_owned()]);
    patch(api, object, finalizers.collect()).await
}

/// Removes our finalizer.
///
/// # Errors
/// As [`add`]; an object that is gone is no error.
pub async fn remove<K: Kind>(api: &Api<K>, object: &K) -> kube::Result<()> {
    let finalizers = object.meta().finalizers.iter().flatten().filter(|finalizer| *finalizer != FINALIZER);
    match patch(api, object, finalizers.cloned().collect()).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        answer => answer.map(drop),
    }
}

/// A list of finalizers belongs to many, so it is only changed as it was read.
async fn patch<K: Kind>(api: &Api<K>, object: &K, finalizers: Vec<String>) -> kube::Result<K> {
    let meta = object.meta();
    let patch = json!({"metadata": {"resourceVersion": meta.resource_version, "finalizers": finalizers}});
    let name = meta.name.as_deref().unwrap_or_default();
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    api.patch(name, &params, &Patch::Merge(&patch)).await
}
