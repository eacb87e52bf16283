//! The objects of every kind, as the watches have seen them. Read by passes, written by nobody but the watches.

use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use std::sync::Arc;

/// The objects of every kind, as the watches have seen them.
pub struct Stores {
    /// Workspaces.
    pub workspaces: Store<MLWorkspace>,
    /// Clusters.
    pub computes: Store<MLCompute>,
    /// Environments.
    pub environments: Store<MLEnvironment>,
    /// Pipelines.
    pub pipelines: Store<MLPipeline>,
    /// Schedules.
    pub schedules: Store<MLSchedule>,
    /// Runs.
    pub runs: Store<MLRun>,
}

/// An object of a store by its namespace and name.
#[must_use]
pub fn find<K: Resource<DynamicType = ()> + Clone + 'static>(
    store: &Store<K>,
    namespace: &str,
    name: &str,
) -> Option<Arc<K>> {
    store.get(&ObjectRef::new(name).within(namespace))
}
