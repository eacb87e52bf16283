//! Clouds: the built-in ones, and those that a configuration describes.
//!
//! In: names, addresses, audiences. Out: clouds. May not read a file.

use anyhow::Result;
use azureml_client::cloud::Cloud;
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

/// A cloud.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CloudConfig {
    /// The name that manifests use; a built-in name replaces that cloud.
    pub name: String,
    /// Microsoft Entra ID.
    pub authority: String,
    /// Azure Resource Manager.
    pub resource_manager: Url,
    /// Audience of tokens for Resource Manager. Default: its address.
    pub resource_manager_audience: Option<String>,
    /// Audience of tokens for Azure Machine Learning.
    #[serde(default = "machine_learning_audience")]
    pub machine_learning_audience: String,
    /// Audience of tokens for Azure Container Registry.
    #[serde(default = "registry_audience")]
    pub registry_audience: String,
    /// Audience of tokens for blobs.
    #[serde(default = "storage_audience")]
    pub storage_audience: String,
    /// Hosts of blobs that may see a token for them, such as `*.blob.core.windows.net`.
    #[serde(default)]
    pub storage_hosts: Vec<String>,
    /// Hosts beside Resource Manager's that may see a bearer token, such as `*.api.azureml.ms`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// A file with certificates of authorities to be trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

fn machine_learning_audience() -> String {
    "https://ml.azure.com".to_owned()
}

fn registry_audience() -> String {
    "https://containerregistry.azure.net".to_owned()
}

fn storage_audience() -> String {
    "https://storage.azure.com".to_owned()
}

impl CloudConfig {
    /// What the client of Azure knows of it.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        let own = self.resource_manager.host_str().map(|host| match self.resource_manager.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        });
        Cloud {
            name: self.name.clone(),
            authority: self.authority.clone(),
            resource_manager: self.resource_manager.clone(),
            resource_manager_audience: self
                .resource_manager_audience
                .clone()
                .unwrap_or_else(|| self.resource_manager.as_str().trim_end_matches('/').to_owned()),
            machine_learning_audience: self.machine_learning_audience.clone(),
            registry_audience: self.registry_audience.clone(),
            storage_audience: self.storage_audience.clone(),
            storage_hosts: self.storage_hosts.clone(),
            hosts: self.hosts.iter().cloned().chain(own).collect(),
        }
    }
}

/// A row of [`built_in_clouds`]: name, authority, Resource Manager, Azure ML's domain, ACR's audience, hosts, blobs' hosts.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    [&'static str; 2],
    &'static [&'static str],
);

/// One audience serves blobs in every cloud. Sources: `_azure_environments` of azure-ai-ml, "Azure Container Registry authentication".
const BUILT_IN: [Row; 3] = [
    (
        "AzurePublic",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "https://ml.azure.com",
        "https://containerregistry.azure.net",
        ["*.api.azureml.ms", "*.azurecr.io"],
        &["*.blob.core.windows.net", "*.blob.storage.azure.net"],
    ),
    (
        "AzureChina",
        "https://login.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        "https://ml.azure.cn",
        "https://containerregistry.azure.cn",
        ["*.api.ml.azure.cn", "*.azurecr.cn"],
        &["*.blob.core.chinacloudapi.cn"],
    ),
    (
        "AzureUSGovernment",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
        "https://ml.azure.us",
        "https://containerregistry.azure.us",
        ["*.api.ml.azure.us", "*.azurecr.us"],
        &["*.blob.core.usgovcloudapi.net"],
    ),
];

/// The clouds of Microsoft: `AzurePublic`, `AzureChina`, `AzureUSGovernment`.
///
/// # Errors
/// When one of their addresses is none.
pub fn built_in_clouds() -> Result<Vec<Cloud>> {
    let cloud = |(name, authority, manager, learning, registry, hosts, blobs): Row| {
        let config = CloudConfig {
            name: name.to_owned(),
            authority: authority.to_owned(),
            resource_manager: Url::parse(manager)?,
            resource_manager_audience: None,
            machine_learning_audience: learning.to_owned(),
            registry_audience: registry.to_owned(),
            storage_audience: storage_audience(),
            storage_hosts: blobs.iter().copied().map(str::to_owned).collect(),
            hosts: hosts.map(str::to_owned).to_vec(),
            ca_file: None,
        };
        Ok(config.cloud())
    };
    BUILT_IN.into_iter().map(cloud).collect()
}
