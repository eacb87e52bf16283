//! What an MLWorkspace refers to: nothing. And why an object may not be used any more by those that name it.

use super::sharing::allows;
use super::{Access, Made, Resolve, Wait, World, access_of};
use crate::context::Workspace;
use crate::owner::Owner;
use crate::preflight::Asked;
use crate::reasons::Reason;
use crate::workspace::Refs;
use azureml_crds::ml_run::Phase;
use azureml_crds::shared::Common;
use azureml_crds::sharing::WorkspaceReference;
use azureml_crds::{MLEnvironment, MLRun, MLWorkspace};
use kube::core::ObjectMeta;
use std::sync::Arc;

impl Resolve for MLWorkspace {
    fn access(&self, world: World<'_>) -> Result<Access, Wait> {
        access_of(world, Arc::new(self.clone()))
    }

    fn resolve(&self, world: World<'_>, access: &Access) -> Result<Refs, Wait> {
        Ok(Refs {
            resync: world.settings.resync,
            rights: access.rights.clone(),
            build: built_in(world, self),
            has_run: has_run(world, self),
        })
    }

    fn made(&self) -> Made {
        Made::Nothing
    }

    fn address(&self, _: &Workspace, _: Owner) {}
}

/// What the environments of a workspace tell of builds.
fn built_in(world: World<'_>, workspace: &MLWorkspace) -> Asked {
    let mut build = Asked::Open;
    for environment in world.objects.environments() {
        if uses(world, &environment.metadata, &environment.spec.workspace_ref, workspace) {
            match built(&environment) {
                Asked::Open => {}
                Asked::Done => return Asked::Done,
                refused @ Asked::Refused(_) => build = refused,
            }
        }
    }
    build
}

/// Whether a run in a workspace has succeeded.
fn has_run(world: World<'_>, workspace: &MLWorkspace) -> bool {
    let is_it = |run: &MLRun| {
        let status = run.status.as_ref().filter(|status| status.phase == Some(Phase::Succeeded));
        let of = status.and_then(|status| status.workspace_ref.as_ref());
        of.is_some_and(|of| uses(world, &run.metadata, of, workspace))
    };
    world.objects.runs().iter().any(|run| is_it(run))
}

/// Whether an object uses a workspace, and may.
fn uses(world: World<'_>, object: &ObjectMeta, of: &WorkspaceReference, workspace: &MLWorkspace) -> bool {
    let own = object.namespace.as_deref().unwrap_or_default();
    let (namespace, name) = (workspace.metadata.namespace.as_deref(), workspace.metadata.name.as_deref());
    Some(of.name.as_str()) == name
        && Some(of.namespace(own)) == namespace
        && allows(world.objects, workspace, own)
}

/// What an environment tells of builds: its own has succeeded, or was refused for a right on the registry.
fn built(environment: &MLEnvironment) -> Asked {
    let Some(status) = &environment.status else { return Asked::Open };
    if status.build.as_ref().is_some_and(|build| build.state == "Succeeded") {
        return Asked::Done;
    }
    let refused = status.common.conditions.iter().find(|condition| {
        condition.reason == Reason::AUTHORIZATION_FAILED.word()
            && condition.message.contains("Microsoft.ContainerRegistry/")
    });
    refused.map_or(Asked::Open, |_| Asked::Refused(Reason::AUTHORIZATION_FAILED.into()))
}

/// The reasons of what a grant does not give.
const NOT_GRANTED: [Reason; 5] = [
    Reason::IDENTITY_NOT_GRANTED,
    Reason::SUBNET_NOT_GRANTED,
    Reason::WORKSPACE_NOT_GRANTED,
    Reason::REGISTRY_NOT_GRANTED,
    Reason::AGENT_POOL_NOT_GRANTED,
];

/// Why an object may not be used any more: something that it uses is not granted, or not any more.
#[must_use]
pub fn refusal(common: &Common) -> Option<(Reason, String)> {
    let ready = common.conditions.iter().find(|condition| condition.type_ == "Ready")?;
    let reason = NOT_GRANTED.into_iter().find(|reason| ready.reason == reason.word())?;
    Some((reason, ready.message.clone()))
}
