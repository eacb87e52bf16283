//! What a step needs to run: its files and its environment.

use super::bounds::at_most_50;
use crate::files::Files;
use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};

/// Where files come from.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// Files in place: relative path to content. At most 50 files of 64 KiB each, 256 KiB together.
    #[schemars(transform = bound_files)]
    #[x_kube(validation = crate::rules::file_names(), validation = crate::rules::file_sizes())]
    pub files: Files,
}

/// Bounds for inline files.
pub(super) fn bound_files(schema: &mut Schema) {
    schema.insert("minProperties".into(), 1.into());
    at_most_50(schema);
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 65_536.into();
    }
}

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
