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
    /// The MLWorkspace, kept so that the schedule can be deleted when the MLPipeline is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_ref: Option<WorkspaceReference>,
    /// The version of the pipeline that the schedule runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// The time zone in force, by the name that Azure ML takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub time_zone: Option<String>,
    /// The next firing times, with their offset. Around a change of the clocks they are approximate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(max = 40)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub next: Vec<String>,
    /// What labels of data assets mean that `inputs` or the pipeline name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub resolved: Vec<ResolvedAsset>,
    /// The newest run: the first of `runs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<ScheduledRun>,
    /// The last five runs, the newest first. They are those of the jobs that carry this object's
    /// property, or of the MLRuns that it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub runs: Vec<ScheduledRun>,
    /// When a run succeeded last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Time>,
    /// Since when it fires at the times of the spec: since it was made, resumed, or given other times. A success is expected from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fires_since: Option<Time>,
    /// The hash of these times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub times_hash: Option<String>,
    /// With engine `Controller`, the firing time of the last MLRun that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fired_at: Option<Time>,
    /// With engine `Controller`, the MLRuns that go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub active: Vec<String>,
    /// With engine `Controller`, the firing times that are decided: none of them fires again, whatever the clock says. One span,
    /// and another after an outage or a jump of the clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub decided: Vec<Decided>,
    /// With engine `Controller`, until when firing times were told that no run was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_until: Option<Time>,
}
has_common!(MLScheduleStatus);
