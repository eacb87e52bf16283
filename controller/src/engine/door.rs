//! The finalizer: who comes in, who is inside, who leaves. Waiting is a value here, so that an Azure delete may take its time.

use super::Kind;
use crate::MANAGER;
use azureml_crds::FINALIZER;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

/// Where an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// It has no finalizer of ours yet.
    Outside,
    /// It has.
    Inside,
    /// It is being deleted, and waits for us.
    Leaving,
    /// It is being deleted, and does not wait for us.
    Gone,
}

/// Where an object stands.
pub fn door<K: Kind>(object: &K) -> Door {
    let has_ours = object.meta().finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER);
    match (object.meta().deletion_timestamp.is_some(), has_ours) {
        (false, false) => Door::Outside,
        (false, true) => Door::Inside,
        (true, true) => Door::Leaving,
        (true, false) => Door::Gone,
    }
}

/// Adds our finalizer; gives the object as it is now.
///
/// # Errors
/// When Kubernetes refuses, also because the object was changed meanwhile.
pub async fn enter<K: Kind>(api: &Api<K>, object: &K) -> kube::Result<K> {
    let finalizers = object.meta().finalizers.iter().flatten().cloned().chain([FINALIZER.to_owned()]);
    patch(api, object, finalizers.collect()).await
}

/// Removes our finalizer.
///
/// # Errors
/// As [`enter`]; an object that is gone is no error.
pub async fn leave<K: Kind>(api: &Api<K>, object: &K) -> kube::Result<()> {
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
