//! What every decision may ask about besides its object: the time, the pace, the workspace.

use crate::grants::Rights;
use azureml_client::ArmId;
use azureml_crds::ml_workspace::RegistryStatus;
use azureml_crds::shared::Common;
use azureml_crds::sharing::WorkspaceReference;
use jiff::{SignedDuration, Timestamp};

/// The circumstances of one pass.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Now.
    pub now: Timestamp,
    /// How fast things are tried again.
    pub pace: Pace,
    /// A value of the annotation that asks for a pass, and has not been handled yet.
    pub requested: Option<String>,
    /// Whether the last status spoke of another generation.
    pub is_new_generation: bool,
    /// Whether Azure may yet show what an earlier process began to create for this object.
    pub may_appear: bool,
}

/// How fast things are tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The first delay after a failure that may pass by itself; it doubles from there.
    pub first: SignedDuration,
    /// The longest delay after a failure that may pass by itself.
    pub longest: SignedDuration,
    /// Delays after a provisioning that failed: after the first, the second, the third time.
    pub provisioning: [SignedDuration; 3],
    /// The delay when only a change can help.
    pub stalled: SignedDuration,
    /// How long after a firing its job is looked for in earnest; the first look is after an eighth of it.
    pub firing: SignedDuration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: SignedDuration::from_secs(15),
            longest: SignedDuration::from_mins(10),
            provisioning: [
                SignedDuration::from_mins(1),
                SignedDuration::from_mins(5),
                SignedDuration::from_mins(30),
            ],
            stalled: SignedDuration::from_hours(1),
            firing: SignedDuration::from_mins(2),
        }
    }
}

/// What the MLWorkspace says of the Azure ML workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The MLWorkspace, as the object names it.
    pub reference: WorkspaceReference,
    /// The workspace's ARM id.
    pub id: ArmId,
    /// Its region.
    pub region: String,
    /// Its registry, where there is one.
    pub registry: Option<RegistryStatus>,
    /// The address of its data plane, where that was found.
    pub data_plane: Option<String>,
    /// What may be used through it.
    pub rights: Rights,
    /// Hash of the identity and the cloud by which it is used.
    pub identity: String,
}

impl Ask {
    /// Circumstances read from an object's metadata and the common part of its status.
    #[must_use]
    pub fn of(meta: &kube::core::ObjectMeta, common: &Common, now: Timestamp, pace: Pace) -> Self {
        let requested =
            requested(meta).filter(|value| common.last_handled_reconcile_at.as_ref() != Some(value));
        Self {
            now,
            pace,
            requested,
            is_new_generation: common.observed_generation != meta.generation,
            may_appear: false,
        }
    }
}

/// The value of the annotation that asks for a pass, as far as `status` can hold it.
#[must_use]
pub fn requested(meta: &kube::core::ObjectMeta) -> Option<String> {
    let value = meta.annotations.as_ref()?.get(azureml_crds::RECONCILE_REQUESTED_AT)?;
    Some(value.chars().take(1024).collect())
}
