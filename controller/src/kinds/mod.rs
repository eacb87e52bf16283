//! The kinds in the loop: what each names, what may keep it, what wakes others. What they decide is in `azureml-plan`, what they see
//! in Azure in `azureml-observe`.

mod compute;
mod data;
mod environment;
pub mod firings;
mod objects;
mod pipeline;
mod run;
pub mod schedule;
mod workspace;

use crate::engine::Kind;
use crate::engine::relations::Name;
use azureml_crds::MLWorkspace;
use azureml_crds::sharing::WorkspaceReference;
use kube::ResourceExt as _;

/// The name of the MLWorkspace that an object refers to.
fn in_workspace<K: Kind>(object: &K, reference: &WorkspaceReference) -> Name {
    let own = object.namespace().unwrap_or_default();
    let namespace = reference.namespace(&own).to_owned();
    Name { kind: MLWorkspace::KIND, namespace, name: reference.name.clone() }
}

/// The name of another object in the same namespace.
fn named<K: Kind, Other: Kind>(object: &K, name: &str) -> Name {
    Name { kind: Other::KIND, namespace: object.namespace().unwrap_or_default(), name: name.to_owned() }
}
