//! Where files come from: in place, from a ConfigMap, a git repository, a registry, an address, an artifact of Flux. One type wherever a kind takes files.
//!
//! In: nothing. Out: fields and their bounds. Steps have many sources, so what can be a bound of the schema is no rule in CEL.

mod bounds;
mod elsewhere;
mod flux;
mod git;

pub use self::elsewhere::{Http, Oci};
pub use self::flux::{FLUX_API, Flux, FluxKind};
pub use self::git::{Git, GitReference, SecretReference};

pub(crate) use self::bounds::folder;
use self::bounds::{code_version, object_name, one_field};
use crate::files::Files;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Files from one place.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = one_field)]
pub struct Source {
    /// Existing code version in Azure ML: `azureml:<name>:<version>`, or its ARM id. Its files are neither uploaded nor checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), transform = code_version)]
    pub asset: Option<String>,
    /// Files written here: relative path to content. At most 50 files of 64 KiB each, 256 KiB together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = bound_files)]
    #[x_kube(validation = crate::rules::file_names(), validation = crate::rules::file_sizes())]
    pub files: Option<Files>,
    /// Entries of a ConfigMap in this namespace; each key is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ConfigMap>,
    /// Folder of a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
    /// Artifact in a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci: Option<Oci>,
    /// Artifact of a Flux source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flux: Option<Flux>,
    /// Archive at an HTTPS address: tar, tar.gz or zip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
}

/// The entries of a ConfigMap: each key of `data` and `binaryData` is a file.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMap {
    /// Name of the ConfigMap. It is read at least every five minutes; with the label `azureml.dev/source: "true"` also when it changes.
    #[schemars(length(min = 1, max = 253), transform = object_name)]
    pub name: String,
}

/// What a source held when it was last fetched.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct SourceStatus {
    /// Field of the spec that names the source, such as `steps.prepare.code`, `build.context` or `conda.from`.
    #[schemars(length(max = 256))]
    pub field: String,
    /// Revision in use: a git commit, a ConfigMap's resource version, an artifact's digest or an archive's SHA-256.
    #[schemars(length(max = 256))]
    pub revision: String,
    /// Hash of the files. For code and data Azure ML's own hash, for a build context also of the executable bits, for a conda file of its
    /// text.
    #[schemars(length(max = 64))]
    pub hash: String,
    /// When the source was first seen at this revision.
    pub at: Time,
}

/// Files that are no code: a version of code cannot stand for them.
pub(crate) fn without_asset(schema: &mut Schema) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove("asset");
    }
}

/// Bounds for inline files.
pub(crate) fn bound_files(schema: &mut Schema) {
    schema.insert("minProperties".into(), 1.into());
    schema.insert("maxProperties".into(), 50.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 65_536.into();
    }
}
