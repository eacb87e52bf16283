//! What became of a schedule's firings: one run each, as `status` tells it.
//!
//! In: nothing. Out: types of `status`. Decides nothing; the spec is in `ml_schedule`.

use crate::ml_run::{Failure, Phase};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// How many runs `status` keeps.
pub const KEPT: usize = 5;

/// A job that the schedule started, or that somebody started from it in studio; with engine `Controller`, an MLRun.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledRun {
    /// Name of the MLRun, with engine `Controller`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub run: Option<String>,
    /// Name of the Azure job.
    #[schemars(length(max = 255))]
    pub job_name: String,
    /// When Azure ML made the job; with engine `Controller`, the firing time.
    pub fired_at: Time,
    /// Phase of the run.
    pub phase: Phase,
    /// When its first step could start. Azure ML shows it only at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Duration from start to end, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// Why the run failed: the step, and Azure's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Address of the job in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub studio_url: Option<String>,
}
