//! The environment in which a step runs.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The environment of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("environment", &["ref", "id"]))]
pub struct Environment {
    /// Name of an MLEnvironment in this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("environment.ref"))]
    pub r#ref: Option<String>,
    /// Existing environment: `azureml:<name>:<version>`, `azureml:<name>@latest`,
    /// `azureml://registries/<registry>/environments/<name>/versions/<version>` or `/labels/latest`, or the ARM id of a version. `@latest`
    /// is looked up once; `status.resolved` shows the result. Azure ML itself looks up a registry's label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = crate::rules::asset("environment.id", "environments", false))]
    pub id: Option<String>,
}
