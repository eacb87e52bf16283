//! MLData: an address of data, or files that are uploaded, registered as a data asset version that pipelines name.

use crate::shared::{Common, DeletionPolicy, has_common};
use crate::sharing::WorkspaceReference;
use crate::source::{Source, SourceStatus, without_asset};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Data at an address (`path`) or from files (`source`), under a name and a version.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "azureml.dev",
    version = "v1alpha1",
    kind = "MLData",
    plural = "mldata",
    namespaced,
    status = "MLDataStatus",
    category = "azureml",
    derive = "PartialEq",
    doc = "Data at an address, or uploaded files, registered as a version of an Azure Machine Learning data asset.",
    selectable = ".spec.workspaceRef.name",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Type","type":"string","jsonPath":".spec.type"}"#,
    printcolumn = r#"{"name":"Version","type":"string","jsonPath":".status.version"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Path","type":"string","jsonPath":".status.path","priority":1}"#,
    printcolumn = r#"{"name":"Azure-Id","type":"string","jsonPath":".status.azureId","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::exactly_one("spec", &["path", "source"]),
    validation = crate::rules::immutable("MLData", "workspaceRef"),
    validation = crate::rules::immutable("MLData", "azureName"),
)]
pub struct MLDataSpec {
    /// The MLWorkspace of the data asset. Immutable.
    pub workspace_ref: WorkspaceReference,
    /// Name of the data asset in Azure. Default: `<namespace>-<name>-<8 hex digits>`. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::rules::azure_name(), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// Type of the data. Another type makes a new version.
    pub r#type: DataType,
    /// Address of the data: `azureml://datastores/<datastore>/paths/<path>`, `https://…`, `abfss://…` or `wasbs://…`. Another address makes
    /// a new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = crate::rules::data_address("path"), validation = crate::rules::stays_quoted("path"))]
    pub path: Option<String>,
    /// Files to upload to the workspace's default datastore, once for each content. Other files make a new version. Type `uri_file` takes
    /// exactly one file. The workspace's identity needs the role Storage Blob Data Contributor there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = without_asset)]
    pub source: Option<Source>,
    /// Description, shown in studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Tags of the data asset version: name to value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// What happens in Azure when this object is deleted. Default: `Retain`. `Delete` archives the versions; the data stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// The type of a data asset.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum DataType {
    /// One file.
    UriFile,
    /// A folder.
    UriFolder,
    /// A table described by an `MLTable` file.
    #[serde(rename = "mltable")]
    MlTable,
}

impl DataType {
    /// The word that Azure ML uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UriFile => "uri_file",
            Self::UriFolder => "uri_folder",
            Self::MlTable => "mltable",
        }
    }
}

/// What the controller found in Azure.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MLDataStatus {
    /// The part that every kind has; `azureId` is the data asset version.
    #[serde(flatten)]
    pub common: Common,
    /// Version of the data asset: 32 hex digits of the hash of type and path, or of type and files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// Address of the data, as Azure ML reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub path: Option<String>,
    /// What the source held when it was last fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub sources: Vec<SourceStatus>,
}
has_common!(MLDataStatus);
