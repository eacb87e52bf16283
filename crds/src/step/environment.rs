//! The environment in which a step runs.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The environment of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("environment", &["ref", "id"]))]
pub struct Environment {
    /// An MLEnvironment of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("environment.ref"))]
    pub r#ref: Option<String>,
    /// An environment that exists: `azureml:<name>:<version>`, `azureml:<name>@latest`,
    /// `azureml://registries/<registry>/environments/<name>/versions/<version>` or `/labels/latest`, or the ARM id of a version. What
    /// `azureml:<name>@latest` means is looked up once, and `status.resolved` says it; Azure ML does so for a label of a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = crate::rules::asset("environment.id", "environments", false))]
    pub id: Option<String>,
}
