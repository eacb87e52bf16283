//! A pipeline in the place of a step.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A pipeline in the place of a step. Its inputs and outputs are bound as those of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("pipeline", &["ref", "component"]))]
pub struct Nested {
    /// Name of an MLPipeline in this namespace and workspace, whose version in force runs. A new version of it makes a new version of this
    /// pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("pipeline.ref"))]
    pub r#ref: Option<String>,
    /// Existing pipeline component, written as in `component` of a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = crate::rules::asset("pipeline.component", "components", true))]
    pub component: Option<String>,
}
