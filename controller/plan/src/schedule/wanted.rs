//! What an MLSchedule refers to, and the schedule that should be there. Plain data: nothing is decided here.

use super::made::Made;
use crate::asset_name::Pins;
use crate::context::Workspace;
use crate::job::Form;
use crate::owner::Owner;
use crate::zones;
use azureml_client::ArmId;
use azureml_crds::ml_pipeline::Current;

/// What an MLSchedule refers to.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The workspace.
    pub workspace: Workspace,
    /// This object as an owner.
    pub owner: Owner,
    /// The pipeline's current version.
    pub current: Current,
    /// What labels of data assets mean.
    pub pins: Pins,
    /// How the job says what it runs.
    pub form: Form,
    /// With engine Controller, the MLRuns that it made.
    pub runs: Vec<Made>,
}

/// The schedule that should be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The schedule.
    pub id: ArmId,
    /// The zone in force.
    pub zone: zones::Zone,
    /// The user's start, where one is written.
    pub start: Option<String>,
    /// The user's end, where one is written.
    pub end: Option<String>,
    /// The hash of what the user wrote, with the pipeline's version.
    pub hash: String,
}
