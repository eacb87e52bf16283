//! By which objects an MLWorkspace may be used: those of its own namespace, and of namespaces that it allows.
//!
//! In: a reference, and the namespace of the object that has it. Out: the MLWorkspace, or what is missing. An object of another namespace is
//! not told whether there is an MLWorkspace that does not allow it.

use super::wait::Wait;
use super::world::{Objects, World};
use crate::reasons::Reason;
use azureml_crds::MLWorkspace;
use azureml_crds::sharing::{AllowedFrom, AllowedNamespaces, WorkspaceReference};
use std::sync::Arc;

/// The MLWorkspace that an object of the namespace `own` names.
///
/// # Errors
/// When it is not there, or does not allow the namespace.
pub(super) fn named(
    world: World<'_>,
    own: &str,
    reference: &WorkspaceReference,
) -> Result<Arc<MLWorkspace>, Wait> {
    let found = world.objects.workspace(reference.namespace(own), &reference.name);
    if reference.namespace(own) == own {
        return found.ok_or_else(|| Wait::not_found("MLWorkspace", &reference.name));
    }
    if !world.objects.is_known(reference.namespace(own)) {
        let message = format!(
            "MLWorkspace {reference} cannot be read: the operator may not list the objects of its namespace"
        );
        return Err(Wait::new(Reason::WORKSPACE_NOT_READY, message));
    }
    found.filter(|workspace| allows(world.objects, workspace, own)).ok_or_else(|| {
        let message = format!(
            "allow the namespace {own} in spec.allowedNamespaces of MLWorkspace {reference}: there is no such MLWorkspace that allows it"
        );
        Wait::new(Reason::REFERENCE_NOT_PERMITTED, message)
    })
}

/// Whether nothing can have been made in a workspace for an object of the namespace `own`: it may not be used, is not there, or was never
/// found in Azure.
#[must_use]
pub fn is_unreached(world: World<'_>, own: &str, workspace: &WorkspaceReference) -> bool {
    if !world.objects.is_known(workspace.namespace(own)) {
        return false;
    }
    let Ok(workspace) = named(world, own, workspace) else { return true };
    workspace.status.as_ref().is_none_or(|status| status.region.is_none())
}

/// Whether objects of a namespace may use an MLWorkspace.
#[must_use]
pub fn allows(objects: &dyn Objects, workspace: &MLWorkspace, namespace: &str) -> bool {
    if workspace.metadata.namespace.as_deref() == Some(namespace) {
        return true;
    }
    let allowed = workspace.spec.allowed_namespaces.as_ref();
    allowed.is_some_and(|allowed| allowed.has(namespace, objects.labels(namespace).as_ref()))
}

/// Whether objects of a namespace may use an MLWorkspace, or whether that cannot be told now.
#[must_use]
pub fn may_allow(objects: &dyn Objects, workspace: &MLWorkspace, namespace: &str) -> bool {
    let is_by_labels = |allowed: &AllowedNamespaces| allowed.from == AllowedFrom::Selector;
    let is_unclear = workspace.spec.allowed_namespaces.as_ref().is_some_and(is_by_labels)
        && objects.labels(namespace).is_none();
    is_unclear || allows(objects, workspace, namespace)
}
