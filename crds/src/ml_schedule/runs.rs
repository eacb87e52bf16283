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
    /// With engine `Controller`, the MLRun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub run: Option<String>,
    /// The name of the Azure job.
    #[schemars(length(max = 255))]
    pub job_name: String,
    /// When Azure ML made the job. With engine `Controller`, the firing time.
    pub fired_at: Time,
    /// Where it is.
    pub phase: Phase,
    /// When its first step could start. Told once Azure ML shows it, which is at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How long it took from start to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// Why it failed: the step, and Azure's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The job in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub studio_url: Option<String>,
}
