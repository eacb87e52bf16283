//! `conda` of MLEnvironment: a conda environment on an image, whose file is written in place or comes from a source.

use super::build::{AcrBuilder, Verify};
use crate::source::{ConfigMap, Flux, Git, Http, Oci, Source, folder};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A conda environment on an image.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("conda", &["file", "from"]), validation = Rule::new("!has(self.verify) || !has(self.builder) || !has(self.builder.azureml)")
    .message("conda.verify: Azure ML builds without checks; remove verify, or use builder: {acr: {}}"))]
pub struct Conda {
    /// Base image that has conda, such as `mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04:20260901.v1`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = crate::rules::image("conda.image"))]
    pub image: String,
    /// Text of the conda file, with `channels` and `dependencies`. Each package in it is checked after the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65_536))]
    pub file: Option<String>,
    /// Conda file in a source, such as a git repository. Only another text of this file makes a new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CondaFrom>,
    /// Service that builds the image. Default: `acr: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<CondaBuilder>,
    /// What else must be in the image; otherwise the build fails. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

/// A conda file in a source.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("conda.from", &["configMap", "git", "oci", "flux", "http"]))]
pub struct CondaFrom {
    /// Path of the conda file in the source's folder, such as `conda.yaml`; the file has at most 64 KiB.
    #[schemars(length(min = 1, max = 1024), transform = folder)]
    pub path: String,
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

impl CondaFrom {
    /// The source, as everything has it that takes files.
    #[must_use]
    pub fn source(&self) -> Source {
        let Self { path: _, config_map, git, oci, flux, http } = self.clone();
        Source { asset: None, files: None, config_map, git, oci, flux, http }
    }
}

/// The service that builds a conda environment.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("conda.builder", &["acr", "azureml"]))]
pub struct CondaBuilder {
    /// ACR Tasks of the registry, before any run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<AcrBuilder>,
    /// Azure ML, at the first job: for workspaces without ACR Tasks. The base image is pinned to its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azureml: Option<AzuremlBuilder>,
}

/// Azure ML as a builder.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AzuremlBuilder {}
