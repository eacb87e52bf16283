//! A pipeline in the place of a step.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A pipeline in the place of a step. Its inputs and outputs are bound as those of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("pipeline", &["ref", "component"]))]
pub struct Nested {
    /// An MLPipeline of this namespace, in the same workspace: its version in force. A new one is a new version of this pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("pipeline.ref"))]
    pub r#ref: Option<String>,
    /// A pipeline component that exists, named as in `component`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = crate::rules::asset("pipeline.component", "components", true))]
    pub component: Option<String>,
}
