//! `conda` of MLEnvironment: a conda environment on an image.

use super::build::{AcrBuilder, Verify};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A conda environment on an image.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.verify) || !has(self.builder) || !has(self.builder.azureml)")
    .message("conda.verify: Azure ML builds without checks; remove verify, or use builder: {acr: {}}"))]
pub struct Conda {
    /// The image below, which has conda, such as `mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04:20260901.v1`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = crate::rules::image("conda.image"))]
    pub image: String,
    /// The conda file: `channels`, `dependencies`. Every package that it names is checked after the installation.
    #[schemars(length(min = 1, max = 65_536))]
    pub file: String,
    /// The service that builds. Default: `acr: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<CondaBuilder>,
    /// What else must be in the image: the build fails when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

/// The service that builds a conda environment.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("conda.builder", &["acr", "azureml"]))]
pub struct CondaBuilder {
    /// ACR Tasks of the registry, before any run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<AcrBuilder>,
    /// Azure ML, at the first job: for workspaces without ACR Tasks. The image below is pinned by its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azureml: Option<AzuremlBuilder>,
}

/// Azure ML as a builder.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AzuremlBuilder {}
