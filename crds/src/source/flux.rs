//! An artifact of Flux as a manifest names it.

use super::bounds::{folder, object_name};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The group and version of Flux's sources.
pub const FLUX_API: (&str, &str) = ("source.toolkit.fluxcd.io", "v1");

/// The artifact that a source of Flux has in its status.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flux {
    /// Kind of the source, in `source.toolkit.fluxcd.io/v1`.
    pub kind: FluxKind,
    /// Name of the source.
    #[schemars(length(min = 1, max = 253), transform = object_name)]
    pub name: String,
    /// Namespace of the source. Default: this namespace. The operator's configuration must grant another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), transform = object_name)]
    pub namespace: Option<String>,
    /// Folder whose files are taken. Default: the whole artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), transform = folder)]
    pub path: Option<String>,
    /// Files to leave out, as patterns of `.gitignore`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub ignore: Vec<String>,
}

/// The kinds of Flux whose status has an artifact of files.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum FluxKind {
    /// A git repository.
    GitRepository,
    /// An artifact in a registry.
    #[serde(rename = "OCIRepository")]
    OciRepository,
    /// A bucket of object storage.
    Bucket,
    /// An artifact that another controller makes.
    ExternalArtifact,
}

impl FluxKind {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::GitRepository, Self::OciRepository, Self::Bucket, Self::ExternalArtifact];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GitRepository => "GitRepository",
            Self::OciRepository => "OCIRepository",
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }

    /// What many of it are called in addresses.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::GitRepository => "gitrepositories",
            Self::OciRepository => "ocirepositories",
            Self::Bucket => "buckets",
            Self::ExternalArtifact => "externalartifacts",
        }
    }
}
