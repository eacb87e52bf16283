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

/// What a label meant when it was looked up. It is looked up again where the annotation `azureml.dev/reconcile-requested-at` asks for it, and
/// at the interval `refresh`.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct ResolvedAsset {
    /// The asset as the spec names it, such as `azureml:r-env@latest`.
    #[schemars(length(max = 1024))]
    pub asset: String,
    /// ARM id of the version that is used.
    #[schemars(length(max = 1024))]
    pub id: String,
    /// When it was looked up.
    pub at: Time,
}

/// One difference between the spec and Azure.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct Drift {
    /// Where in the Azure resource, such as `properties.scaleSettings.maxNodeCount`.
    #[schemars(length(max = 512))]
    pub path: String,
    /// What the spec asks for, as JSON; empty when nothing should be there.
    #[schemars(length(max = 4096))]
    pub want: String,
    /// What Azure has, as JSON; empty when nothing is there.
    #[schemars(length(max = 4096))]
    pub have: String,
    /// When it was first seen.
    pub since: Time,
}

/// The failures in a row since the last success; decides when the next try is made.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct LastFailure {
    /// Azure's innermost error code, or the operator's own word.
    #[schemars(length(max = 256))]
    pub reason: String,
    /// How many times in a row.
    #[schemars(range(min = 1))]
    pub count: i32,
    /// When it failed last.
    pub at: Time,
    /// Whether only a change could help; stays so while it is tried again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stalled: bool,
}

/// The part of `status` that every kind has.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Common {
    /// The `metadata.generation` that this status speaks of; -1 before the first pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`; `Reconciling` while work goes on; `Stalled` when only a change can help. MLRun also has `Succeeded`, MLSchedule `LastRunSucceeded`.
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
    /// Hash of what was wanted when Azure last held it; a difference under an equal hash is drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub applied_hash: Option<String>,
    /// What differs in Azure from the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub drift: Vec<Drift>,
    /// Failures in a row; absent after a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The value of `azureml.dev/reconcile-requested-at` that was handled last.
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
