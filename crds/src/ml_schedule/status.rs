//! What the controller tells of a schedule: where it is, when it fires, what became of its runs.
//!
//! In: nothing. Out: the type of `status`. Decides nothing; the spec is in `ml_schedule`.

use super::ScheduledRun;
use crate::engine::Decided;
use crate::shared::{Common, ResolvedAsset, has_common};
use crate::sharing::WorkspaceReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What the controller found in Azure.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MLScheduleStatus {
    /// The part that every kind has; `azureId` is the schedule.
    #[serde(flatten)]
    pub common: Common,
    /// The MLWorkspace, so that the schedule can still be deleted when the MLPipeline is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_ref: Option<WorkspaceReference>,
    /// Version of the pipeline that the schedule runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// Time zone in force, by Azure ML's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub time_zone: Option<String>,
    /// Next firing times, with their offset. Around a change of the clocks they are approximate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(max = 40)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub next: Vec<String>,
    /// Versions that labels of data assets point to, in `inputs` or in the pipeline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub resolved: Vec<ResolvedAsset>,
    /// Newest run, the first of `runs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<ScheduledRun>,
    /// Last five runs, the newest first: jobs that carry this object's property, or the MLRuns that it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub runs: Vec<ScheduledRun>,
    /// When a run last succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Time>,
    /// Since when the schedule fires at the times of the spec: since it was made, resumed or given other times. A success is expected from
    /// then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fires_since: Option<Time>,
    /// Hash of the times of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub times_hash: Option<String>,
    /// Firing time of the last MLRun that was made, with engine `Controller`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fired_at: Option<Time>,
    /// Names of the MLRuns that go on, with engine `Controller`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub active: Vec<String>,
    /// Spans of firing times that never fire again, whatever the clock says, with engine `Controller`. An outage or a jump of the clock
    /// adds a span.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub decided: Vec<Decided>,
    /// Time up to which missed firing times were reported, with engine `Controller`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_until: Option<Time>,
}
has_common!(MLScheduleStatus);
