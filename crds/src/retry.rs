//! Why a run failed, and another job for one that failed for no fault of its own.
//!
//! In: nothing. Out: types of the spec and of the status of MLRun. Which words of Azure mean which cause is decided in `azureml-plan`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a failed job is followed by another.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Maximum number of jobs, the first included.
    #[schemars(range(min = 1, max = 10))]
    pub attempts: i32,
    /// Causes of a failure after which another job is made. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub only_for: Vec<Cause>,
}

/// Why a job failed, where another may not.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum Cause {
    /// Azure took a low-priority node away.
    Preempted,
    /// A node broke, or was lost.
    NodeFailure,
    /// Azure ML itself failed.
    Transient,
}

/// A job that failed and was followed by another.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Name of the Azure job.
    #[schemars(length(max = 255))]
    pub job_name: String,
    /// Cause for which another job was made.
    pub cause: Cause,
    /// Why the job failed.
    pub failure: Failure,
    /// Address of the job in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub studio_url: Option<String>,
    /// When the job started to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the job ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
}

/// Why a run failed.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Step that failed; absent when the job itself was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub step: Option<String>,
    /// Azure's error code.
    #[schemars(length(max = 256))]
    pub code: String,
    /// Azure's message for the step that failed.
    #[schemars(length(max = 4096))]
    pub message: String,
}
