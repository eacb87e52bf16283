//! MLEnvironment: a container image, built or given, pinned by its digest and registered as an environment version.

mod build;
mod conda;
mod packages;
mod rebuild;

pub use self::build::{AcrBuilder, Build, Builder, Platform, Verify};
pub use self::conda::{AzuremlBuilder, Conda, CondaBuilder, CondaFrom};
pub use self::packages::{BASE_PYTHON, BASE_R, Mirrors, Packages};
pub use self::rebuild::{FollowedImage, Rebuild};

use crate::shared::{Common, DeletionPolicy, DriftPolicy, has_common};
use crate::sharing::WorkspaceReference;
use crate::source::{SecretReference, SourceStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An image for steps, from exactly one source: `build`, `conda`, `packages` or `image`.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "azureml.dev",
    version = "v1alpha1",
    kind = "MLEnvironment",
    plural = "mlenvironments",
    namespaced,
    status = "MLEnvironmentStatus",
    shortname = "mlenv",
    category = "azureml",
    derive = "PartialEq",
    doc = "A container image, built or given, pinned by its digest and registered as an Azure Machine Learning environment version.",
    selectable = ".spec.workspaceRef.name",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Version","type":"string","jsonPath":".status.version"}"#,
    printcolumn = r#"{"name":"Build","type":"string","jsonPath":".status.build.state"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Image","type":"string","jsonPath":".status.image","priority":1}"#,
    printcolumn = r#"{"name":"Azure-Id","type":"string","jsonPath":".status.azureId","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::exactly_one("spec", &["build", "conda", "packages", "image"]),
    validation = Rule::new("!has(self.imagePullSecretRef) || has(self.image)")
        .message("imagePullSecretRef: it signs in where the tag of image is looked up; set image, or remove it"),
    validation = crate::rules::immutable("MLEnvironment", "workspaceRef"),
    validation = crate::rules::immutable("MLEnvironment", "azureName"),
)]
pub struct MLEnvironmentSpec {
    /// The MLWorkspace.
    pub workspace_ref: WorkspaceReference,
    /// The environment's name in Azure, where the generated one is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::rules::azure_name(), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// An image that is built in the workspace's registry. The same content is built once, whatever crashes in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// A conda environment on an image: built in the workspace's registry before any run, or by Azure ML at the first job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conda: Option<Conda>,
    /// Packages of R, Python and the distribution on an image, built in the workspace's registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<Packages>,
    /// An image that exists, such as `ghcr.io/org/image:1.2`. It is pinned to the digest that the tag has when it is
    /// first resolved; `rebuild`, or the annotation `azureml.dev/reconcile-requested-at`, resolves it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = crate::rules::image("image"))]
    pub image: Option<String>,
    /// The Secret that signs in at the registry of `image`, where its tag is looked up: one of type `kubernetes.io/dockerconfigjson`, or as
    /// `oci` of a source has it. It goes to the host that it names alone. Azure ML pulls the image by credentials of its own. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_secret_ref: Option<SecretReference>,
    /// Whether and how often tags are looked up again, of `image` or of the images in `FROM` lines. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Rebuild>,
    /// Shown in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Tags of the environment version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// What happens in Azure when this object is deleted. Default: `Retain`. `Delete` archives the versions; images stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What happens when somebody changes the environment version in Azure. Default: `Correct`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
}

/// What the controller found in Azure.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MLEnvironmentStatus {
    /// The part that every kind has; `azureId` is the environment version.
    #[serde(flatten)]
    pub common: Common,
    /// The image by digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub image: Option<String>,
    /// The environment version: 32 hex digits of the content's hash, and 32 of the image's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub version: Option<String>,
    /// The build of the wanted content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildStatus>,
    /// What the context, or the source of the conda file, held when it was last fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub sources: Vec<SourceStatus>,
    /// What the tags meant that `rebuild` follows, when they were last looked up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub images: Vec<FollowedImage>,
}
has_common!(MLEnvironmentStatus);

/// A build in ACR Tasks.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildStatus {
    /// The name of the task run.
    #[schemars(length(max = 64))]
    pub name: String,
    /// ACR's name for this run, to be used with `az acr task logs --run-id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub run_id: Option<String>,
    /// `forceUpdateTag` of a repeated build, which says why: `purged-<run>`, `retry-<run>` or `request-<hash>`. Azure does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub force_update_tag: Option<String>,
    /// `Queued`, `Started`, `Running`, `Succeeded`, `Failed`, `Canceled`, `Error` or `Timeout`.
    #[schemars(length(max = 32))]
    pub state: String,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// The last lines of the log of a failed build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub tail: Vec<String>,
}
