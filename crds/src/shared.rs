//! What several kinds have in common: references, policies, and the part of `status` that every kind has.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names another object in the same namespace.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct Reference {
    /// Name of the object.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("name"))]
    pub name: String,
}

/// What happens in Azure when the object is deleted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum DeletionPolicy {
    /// What the operator made in Azure is removed as well.
    Delete,
    /// Azure is left as it is.
    Retain,
}

/// What happens when somebody has changed in Azure what the spec sets.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum DriftPolicy {
    /// The difference is listed in `status.drift` and put back.
    Correct,
    /// The difference is listed in `status.drift` and left alone.
    Report,
}

/// What a label meant when it was last looked up. The annotation `azureml.dev/reconcile-requested-at` and the interval `refresh` look it up
/// again.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct ResolvedAsset {
    /// Asset as the spec names it, such as `azureml:r-env@latest`.
    #[schemars(length(max = 1024))]
    pub asset: String,
    /// ARM id of the version in use.
    #[schemars(length(max = 1024))]
    pub id: String,
    /// When the label was looked up.
    pub at: Time,
}

/// One difference between the spec and Azure.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct Drift {
    /// Property of the Azure resource, such as `properties.scaleSettings.maxNodeCount`.
    #[schemars(length(max = 512))]
    pub path: String,
    /// Value that the spec asks for, as JSON; empty when nothing should be there.
    #[schemars(length(max = 4096))]
    pub want: String,
    /// Value in Azure, as JSON; empty when nothing is there.
    #[schemars(length(max = 4096))]
    pub have: String,
    /// When it was first seen.
    pub since: Time,
}

/// The failures in a row since the last success; decides when the next try is made.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct LastFailure {
    /// Azure's innermost error code, or the operator's own reason.
    #[schemars(length(max = 256))]
    pub reason: String,
    /// Number of failures in a row.
    #[schemars(range(min = 1))]
    pub count: i32,
    /// When it last failed.
    pub at: Time,
    /// Whether only a change can help. It stays `true` during retries.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stalled: bool,
}

/// The part of `status` that every kind has.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Common {
    /// The `metadata.generation` that this status describes; at first `-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions: `Ready`; `Reconciling` while work goes on; `Stalled` when only a change can help. MLRun adds `Succeeded`, MLSchedule
    /// `LastRunSucceeded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// ARM id of the Azure resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub azure_id: Option<String>,
    /// ARM id of the workspace, where the MLWorkspace is one of another namespace: what was made for the object is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub workspace_id: Option<String>,
    /// Hash of the spec that Azure last matched. A difference in Azure under the same hash is drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub applied_hash: Option<String>,
    /// Differences between Azure and the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub drift: Vec<Drift>,
    /// Failures in a row; absent after a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// Last handled value of `azureml.dev/reconcile-requested-at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub last_handled_reconcile_at: Option<String>,
}

/// Gives the engine the common part of any kind's status.
pub trait HasCommon: Default {
    /// The common part.
    fn common(&self) -> &Common;
    /// The common part, to be changed.
    fn common_mut(&mut self) -> &mut Common;
}

/// Implements [`HasCommon`] for a status with a field `common`.
macro_rules! has_common {
    ($status:ty) => {
        impl $crate::shared::HasCommon for $status {
            fn common(&self) -> &$crate::shared::Common {
                &self.common
            }
            fn common_mut(&mut self) -> &mut $crate::shared::Common {
                &mut self.common
            }
        }
    };
}
pub(crate) use has_common;
