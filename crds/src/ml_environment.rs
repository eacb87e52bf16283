//! MLEnvironment: a container image, built or given, pinned by its digest and registered as an environment version.

use crate::shared::{Common, DeletionPolicy, DriftPolicy, Reference, has_common};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An image for steps, from exactly one source: `build` or `image`.
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
    validation = crate::rules::exactly_one("spec", &["build", "image"]),
    validation = crate::rules::immutable("MLEnvironment", "workspaceRef"),
    validation = crate::rules::immutable("MLEnvironment", "azureName"),
)]
pub struct MLEnvironmentSpec {
    /// The MLWorkspace.
    pub workspace_ref: Reference,
    /// The environment's name in Azure, where the generated one is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::rules::azure_name(), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// An image that is built in the workspace's registry. The same content is built once, whatever crashes in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// An image that exists, such as `ghcr.io/org/image:1.2`. It is pinned to the digest that the tag has when it is
    /// first resolved; the annotation `azureml.dev/reconcile-requested-at` resolves it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$')")
        .message("image: write <registry>/<name>:<tag> or <registry>/<name>@sha256:<64 hex digits>, in lower case"))]
    pub image: Option<String>,
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

/// How an image is built.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// The Dockerfile.
    #[schemars(length(min = 1, max = 65_536))]
    #[x_kube(validation = Rule::new("self.matches('(?im)^[\u{feff} \\\\t]*from[ \\\\t]+[^ \\\\t\\\\r\\\\n]')")
        .message("build.dockerfile: there is no FROM line; begin with FROM <image>"))]
    pub dockerfile: String,
    /// Build arguments. They are public: an image's history shows them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_environment::bound_args)]
    #[x_kube(validation = Rule::new("self.all(k, k.matches('^[A-Za-z_][A-Za-z0-9_]*$'))")
        .message("build.args: a name has letters, digits and _ only, and does not start with a digit"),
        validation = crate::rules::yaml_keys("build.args"))]
    pub args: BTreeMap<String, String>,
    /// What the image runs on. Default: `linux/amd64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The service that builds. Default: `acr: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<Builder>,
    /// What must be in the image: the build fails when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

/// Bounds for a map of build arguments.
pub(crate) fn bound_args(schema: &mut schemars::Schema) {
    schema.insert("maxProperties".into(), 100.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 4096.into();
    }
}

/// What an image runs on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum Platform {
    /// x86, 64 bits.
    #[serde(rename = "linux/amd64")]
    LinuxAmd64,
    /// Arm, 64 bits.
    #[serde(rename = "linux/arm64")]
    LinuxArm64,
}

/// The service that builds an image.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// ACR Tasks of the registry.
    pub acr: AcrBuilder,
}

/// ACR Tasks.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AcrBuilder {
    /// CPUs of the build machine. Default: ACR's default, which is 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub cpu: Option<i32>,
    /// The longest a build may take. Default: 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("builder.acr.timeout", "5m", "8h"))]
    pub timeout: Option<String>,
    /// The agent pool, for a registry behind a private network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9-]{3,20}$')")
        .message("builder.acr.agentPool: use 3 to 20 letters, digits and -"))]
    pub agent_pool: Option<String>,
}

/// What must be in an image.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    /// R packages that must load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(max = 100)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::each(
        "verify.rPackages", "^[A-Za-z][A-Za-z0-9.]*$", "write the name of the package, without a version",
    ))]
    pub r_packages: Vec<String>,
    /// Python modules that must import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(max = 100)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::each(
        "verify.pythonPackages", "^[A-Za-z_][A-Za-z0-9_.]*$", "write the module as it is imported, without a version",
    ))]
    pub python_packages: Vec<String>,
    /// A program and its arguments that must end with 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub command: Vec<String>,
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
