//! What an MLRun refers to, and the job that should be there. Plain data: nothing is decided here.

use crate::asset_name::Pins;
use crate::context::Workspace;
use crate::invalid::InvalidSpec;
use crate::owner::Owner;
use azureml_client::ArmId;
use azureml_crds::ml_pipeline::Current;

/// What an MLRun refers to.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The workspace.
    pub workspace: Workspace,
    /// This object as an owner.
    pub owner: Owner,
    /// The pipeline's version when the run was made.
    pub current: Current,
    /// What labels of data assets mean.
    pub pins: Pins,
}

/// The job that should be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The job.
    pub id: ArmId,
    /// The component that the job runs.
    pub component: ArmId,
    /// What is wrong with the values, where something is.
    pub refused: Option<InvalidSpec>,
}

/// A version whose every step runs, or not, as the run says.
pub(super) fn forced(current: &Current, force_rerun: Option<bool>) -> Current {
    let mut current = current.clone();
    current.settings.force_rerun = force_rerun.unwrap_or(current.settings.force_rerun);
    current
}
