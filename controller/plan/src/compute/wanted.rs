//! What an MLCompute refers to, and the cluster that should be there. Plain data: nothing is decided here.

use crate::context::Workspace;
use crate::owner::Owner;
use azureml_client::ArmId;
use serde_json::Value;

/// What an MLCompute refers to.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The workspace.
    pub workspace: Workspace,
    /// This object as an owner.
    pub owner: Owner,
    /// The MLPipelines that name it.
    pub used_by: Vec<String>,
    /// Whether a change of scale alone is a PATCH; a PUT of the whole cluster otherwise.
    pub scales_by_patch: bool,
}

/// The cluster that should be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The cluster.
    pub id: ArmId,
    /// The body that makes it.
    pub body: Value,
    /// The hash of what the user wrote.
    pub hash: String,
}
