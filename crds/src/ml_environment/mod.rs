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
    /// The MLWorkspace of the environment. Immutable.
    pub workspace_ref: WorkspaceReference,
    /// Name of the environment in Azure. Default: `<namespace>-<name>-<8 hex digits>`. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::rules::azure_name(), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// Image to build from a Dockerfile in the workspace's registry. The same content is built only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// Conda environment on a base image. The registry builds it before any run, or Azure ML at the first job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conda: Option<Conda>,
    /// Packages of R, Python and the distribution on a base image, built in the workspace's registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<Packages>,
    /// Existing image, such as `ghcr.io/org/image:1.2`. It is pinned to the digest that its tag has when first looked up. `rebuild`, or the
    /// annotation `azureml.dev/reconcile-requested-at`, looks the tag up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = crate::rules::image("image"))]
    pub image: Option<String>,
    /// Secret for looking up the tag of `image`: type `kubernetes.io/dockerconfigjson`, or as for `oci` of a source. Default: none. It is
    /// sent only to the host that it names. Azure ML pulls the image with its own credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_secret_ref: Option<SecretReference>,
    /// When the tags of `image`, or of the images in `FROM` lines, are looked up again. Default: never. A tag that moved makes a new
    /// version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Rebuild>,
    /// Description, shown in studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Tags of the environment version: name to value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// What happens in Azure when this object is deleted. Default: `Retain`. `Delete` archives the versions; images stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What happens when somebody changes the environment version in Azure. Default: `Correct`, which restores the spec; `Report` only
    /// lists the change in `status.drift`.
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
    /// Image with its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub image: Option<String>,
    /// Environment version: 32 hex digits of the content's hash, then 32 of the image's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub version: Option<String>,
    /// Build of the content that the spec asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildStatus>,
    /// What the context, or the source of the conda file, held when it was last fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub sources: Vec<SourceStatus>,
    /// Digests of the tags that `rebuild` follows, as last looked up.
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
    /// Name of the task run in ACR.
    #[schemars(length(max = 64))]
    pub name: String,
    /// Run id in ACR, for `az acr task logs --run-id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub run_id: Option<String>,
    /// The `forceUpdateTag` of a repeated build, with the reason: `purged-<run>`, `retry-<run>` or `request-<hash>`. Azure does not show
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub force_update_tag: Option<String>,
    /// State: `Queued`, `Started`, `Running`, `Succeeded`, `Failed`, `Canceled`, `Error` or `Timeout`.
    #[schemars(length(max = 32))]
    pub state: String,
    /// When the build started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the build ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Duration of the build, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// Last lines of the log of a failed build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub tail: Vec<String>,
}
