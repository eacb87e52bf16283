//! The configuration file: clouds, grants, registries, intervals. Every field has a default, unknown fields are refused.
//!
//! In: YAML. Out: values in their own types, or an error that names the field.

use anyhow::{Context as _, Result, bail};
use azureml_client::budget::{Limit, Limits};
use azureml_client::client::Versions;
use azureml_client::cloud::Cloud;
use azureml_client::registry::Mirror;
use azureml_plan::context::Pace;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// Identifies this cluster in the tags of Azure resources; the flag `--cluster-id` wins.
    pub cluster_id: Option<String>,
    /// Clouds beside or instead of the built-in `AzurePublic`, `AzureChina` and `AzureUSGovernment`.
    pub clouds: Vec<CloudConfig>,
    /// Which namespaces may use the controller's identities, and for what. None is the default.
    pub grants: Vec<Grant>,
    /// How container registries are reached.
    pub registries: Registries,
    /// How often things are looked at and tried again.
    pub intervals: Intervals,
    /// How Azure is spoken to.
    pub azure: Azure,
    /// Leader election.
    pub lease: Lease,
}

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

/// What some namespaces may do with an identity of the controller. Every list takes names with `*` for any text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Grant {
    /// The namespaces.
    pub namespaces: Vec<String>,
    /// The subscriptions.
    #[serde(default = "any")]
    pub subscriptions: Vec<String>,
    /// The resource groups.
    #[serde(default = "any")]
    pub resource_groups: Vec<String>,
    /// The workspaces.
    #[serde(default = "any")]
    pub workspaces: Vec<String>,
    /// The registries, by name.
    #[serde(default = "any")]
    pub registries: Vec<String>,
    /// Client ids for which the controller's federated token may be exchanged. None: the controller's own identity.
    #[serde(default)]
    pub clients: Vec<String>,
}

fn any() -> Vec<String> {
    vec!["*".to_owned()]
}

/// How container registries are reached.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Registries {
    /// Mirrors; the registry's own host is sent to them as `ns`, which is the convention of containerd.
    pub mirrors: Vec<MirrorConfig>,
    /// Whether a registry other than the workspace's own may have a loopback, link-local or private address.
    pub allow_private_addresses: bool,
}

/// A mirror.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MirrorConfig {
    /// The registries, by host; `*` for every one.
    pub hosts: Vec<String>,
    /// Its address.
    pub endpoint: Url,
}

/// How often things are looked at and tried again.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Intervals {
    /// How often everything is compared with Azure, where an MLWorkspace does not say it.
    #[serde(deserialize_with = "duration")]
    pub resync: SignedDuration,
    /// The first look at something that goes on in Azure; the delay doubles from there.
    #[serde(deserialize_with = "duration")]
    pub first_look: SignedDuration,
    /// The longest delay between looks at something that goes on in Azure.
    #[serde(deserialize_with = "duration")]
    pub longest_look: SignedDuration,
    /// The first look at a job; the delay doubles up to a minute.
    #[serde(deserialize_with = "duration")]
    pub first_job_look: SignedDuration,
    /// The longest delay between looks at a job.
    #[serde(deserialize_with = "duration")]
    pub longest_job_look: SignedDuration,
    /// The shortest time between two lists of the same resources.
    #[serde(deserialize_with = "duration")]
    pub list_spacing: SignedDuration,
    /// The first delay after a failure that may pass by itself; it doubles from there.
    #[serde(deserialize_with = "duration")]
    pub backoff: SignedDuration,
    /// The longest delay after a failure that may pass by itself.
    #[serde(deserialize_with = "duration")]
    pub longest_backoff: SignedDuration,
    /// The delays before a provisioning that failed is tried again.
    #[serde(deserialize_with = "three_durations")]
    pub provisioning: [SignedDuration; 3],
    /// The delay when only a change can help.
    #[serde(deserialize_with = "duration")]
    pub stalled: SignedDuration,
}

impl Default for Intervals {
    fn default() -> Self {
        let pace = Pace::default();
        Self {
            resync: SignedDuration::from_mins(10),
            first_look: SignedDuration::from_secs(1),
            longest_look: SignedDuration::from_secs(15),
            first_job_look: SignedDuration::from_secs(10),
            longest_job_look: SignedDuration::from_mins(1),
            list_spacing: SignedDuration::from_millis(250),
            backoff: pace.first,
            longest_backoff: pace.longest,
            provisioning: pace.provisioning,
            stalled: pace.stalled,
        }
    }
}

impl Intervals {
    /// The part that decisions know.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace {
            first: self.backoff,
            longest: self.longest_backoff,
            provisioning: self.provisioning,
            stalled: self.stalled,
        }
    }
}

/// How Azure is spoken to.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Azure {
    /// How long a request may take.
    #[serde(deserialize_with = "duration")]
    pub request_timeout: SignedDuration,
    /// How long connecting may take.
    #[serde(deserialize_with = "duration")]
    pub connect_timeout: SignedDuration,
    /// The api-versions.
    pub api_versions: ApiVersions,
    /// The budget of requests of one identity in one subscription.
    pub budget: BudgetConfig,
}

impl Default for Azure {
    fn default() -> Self {
        Self {
            request_timeout: SignedDuration::from_secs(60),
            connect_timeout: SignedDuration::from_secs(10),
            api_versions: ApiVersions::default(),
            budget: BudgetConfig::default(),
        }
    }
}

/// The api-versions.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ApiVersions {
    /// `Microsoft.MachineLearningServices`; every body is also valid under 2024-04-01.
    pub machine_learning: String,
    /// `Microsoft.ContainerRegistry/registries`.
    pub registry: String,
    /// ACR Tasks.
    pub tasks: String,
}

impl Default for ApiVersions {
    fn default() -> Self {
        let Versions { machine_learning, registry, tasks } = Versions::default();
        Self { machine_learning, registry, tasks }
    }
}

impl From<ApiVersions> for Versions {
    fn from(ApiVersions { machine_learning, registry, tasks }: ApiVersions) -> Self {
        Self { machine_learning, registry, tasks }
    }
}

/// The budget of requests of one identity in one subscription.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct BudgetConfig {
    /// GET.
    pub reads: LimitConfig,
    /// PUT, PATCH, POST.
    pub writes: LimitConfig,
    /// DELETE.
    pub deletes: LimitConfig,
    /// Everything outside of Resource Manager.
    pub data_plane: LimitConfig,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LimitConfig {
    /// Requests at once.
    pub burst: f64,
    /// Requests per second after that.
    pub per_second: f64,
}

impl From<Limit> for LimitConfig {
    fn from(Limit { burst, per_second }: Limit) -> Self {
        Self { burst, per_second }
    }
}

impl From<LimitConfig> for Limit {
    fn from(LimitConfig { burst, per_second }: LimitConfig) -> Self {
        Self { burst: burst.max(1.0), per_second: per_second.max(0.01) }
    }
}

impl Default for BudgetConfig {
    fn default() -> Self {
        let Limits { reads, writes, deletes, data_plane } = Limits::default();
        Self {
            reads: reads.into(),
            writes: writes.into(),
            deletes: deletes.into(),
            data_plane: data_plane.into(),
        }
    }
}

impl From<BudgetConfig> for Limits {
    fn from(config: BudgetConfig) -> Self {
        let BudgetConfig { reads, writes, deletes, data_plane } = config;
        Self {
            reads: reads.into(),
            writes: writes.into(),
            deletes: deletes.into(),
            data_plane: data_plane.into(),
        }
    }
}

/// Leader election, after client-go.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Lease {
    /// How long a lease lasts that is not renewed.
    #[serde(deserialize_with = "duration")]
    pub duration: SignedDuration,
    /// How long the leader tries to renew before it gives up and ends.
    #[serde(deserialize_with = "duration")]
    pub renew_deadline: SignedDuration,
    /// How often it is tried.
    #[serde(deserialize_with = "duration")]
    pub retry_period: SignedDuration,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            duration: SignedDuration::from_secs(15),
            renew_deadline: SignedDuration::from_secs(10),
            retry_period: SignedDuration::from_secs(2),
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = text.parse::<SignedDuration>().ok().filter(SignedDuration::is_positive);
    parsed.ok_or_else(|| {
        serde::de::Error::custom(format!("{text:?} is no duration; write one such as 90s or 1h30m"))
    })
}

fn three_durations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[SignedDuration; 3], D::Error> {
    let texts = <[String; 3]>::deserialize(deserializer)?;
    let mut parsed = [SignedDuration::ZERO; 3];
    for (slot, text) in parsed.iter_mut().zip(texts) {
        let error =
            || serde::de::Error::custom(format!("{text:?} is no duration; write one such as 90s or 1h30m"));
        *slot = text.parse().map_err(|_| error())?;
    }
    Ok(parsed)
}

/// A duration that is positive by configuration.
#[must_use]
pub fn std_duration(duration: SignedDuration) -> Duration {
    duration.unsigned_abs()
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or a field is unknown or wrong.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read the configuration {}", path.display()))?;
        let config: Self = serde_saphyr::from_str(&text)
            .with_context(|| format!("the configuration {} is refused", path.display()))?;
        config.check().with_context(|| format!("the configuration {} is refused", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let lease = &self.lease;
        if !(lease.duration > lease.renew_deadline && lease.renew_deadline > lease.retry_period) {
            bail!(
                "lease: duration must be longer than renewDeadline, and renewDeadline longer than retryPeriod"
            );
        }
        for cloud in &self.clouds {
            if cloud.resource_manager.scheme() != "https" || !cloud.authority.starts_with("https://") {
                bail!("clouds: {}: authority and resourceManager must be https addresses", cloud.name);
            }
        }
        Ok(())
    }

    /// All clouds: the configured ones, and the built-in ones that they do not replace.
    ///
    /// # Errors
    /// When a file with certificates cannot be read.
    pub fn clouds(&self) -> Result<Vec<(Cloud, Option<Vec<u8>>)>> {
        let mut clouds = Vec::new();
        for config in &self.clouds {
            let ca = config.ca_file.as_ref().map(|path| {
                std::fs::read(path).with_context(|| {
                    format!("clouds: {}: failed to read caFile {}", config.name, path.display())
                })
            });
            clouds.push((config.cloud(), ca.transpose()?));
        }
        let built_in = built_in_clouds()?;
        clouds.extend(
            built_in
                .into_iter()
                .filter(|cloud| !self.clouds.iter().any(|own| own.name == cloud.name))
                .map(|cloud| (cloud, None)),
        );
        Ok(clouds)
    }

    /// The mirrors of registries.
    #[must_use]
    pub fn mirrors(&self) -> Vec<Mirror> {
        let mirrors = self.registries.mirrors.iter();
        mirrors
            .map(|mirror| Mirror { hosts: mirror.hosts.clone(), endpoint: mirror.endpoint.clone() })
            .collect()
    }
}

impl CloudConfig {
    fn cloud(&self) -> Cloud {
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
            hosts: self.hosts.iter().cloned().chain(own).collect(),
        }
    }
}

/// A row of [`built_in_clouds`]: name, authority, Resource Manager, Azure ML's domain, ACR's audience, hosts.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, [&'static str; 2]);

/// Sources: `_azure_environments` of azure-ai-ml, "Azure Container Registry authentication".
const BUILT_IN: [Row; 3] = [
    (
        "AzurePublic",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "https://ml.azure.com",
        "https://containerregistry.azure.net",
        ["*.api.azureml.ms", "*.azurecr.io"],
    ),
    (
        "AzureChina",
        "https://login.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        "https://ml.azure.cn",
        "https://containerregistry.azure.cn",
        ["*.api.ml.azure.cn", "*.azurecr.cn"],
    ),
    (
        "AzureUSGovernment",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
        "https://ml.azure.us",
        "https://containerregistry.azure.us",
        ["*.api.ml.azure.us", "*.azurecr.us"],
    ),
];

fn built_in_clouds() -> Result<Vec<Cloud>> {
    let cloud = |(name, authority, manager, learning, registry, hosts): Row| {
        let config = CloudConfig {
            name: name.to_owned(),
            authority: authority.to_owned(),
            resource_manager: Url::parse(manager)?,
            resource_manager_audience: None,
            machine_learning_audience: learning.to_owned(),
            registry_audience: registry.to_owned(),
            hosts: hosts.map(str::to_owned).to_vec(),
            ca_file: None,
        };
        Ok(config.cloud())
    };
    BUILT_IN.into_iter().map(cloud).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_means_every_default() {
        let config: Config = serde_saphyr::from_str("{}").unwrap();
        config.check().unwrap();
        assert_eq!(config.clouds().unwrap().len(), 3);
        assert!(config.grants.is_empty());
    }

    #[test]
    fn a_mistake_is_named() {
        let cases = [
            ("intervals: {resync: soon}", "\"soon\" is no duration"),
            ("intervalls: {}", "intervalls"),
            ("grants: [{namespace: x}]", "namespace"),
        ];
        for (text, part) in cases {
            let error = serde_saphyr::from_str::<Config>(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let config: Config = serde_saphyr::from_str("lease: {duration: 5s}").unwrap();
        assert!(config.check().unwrap_err().to_string().contains("renewDeadline"));
    }

    #[test]
    fn a_configured_cloud_replaces_the_built_in_one_of_its_name() {
        let text = "clouds: [{name: AzurePublic, authority: 'https://127.0.0.1:1', resourceManager: 'https://127.0.0.1:1'}]";
        let config: Config = serde_saphyr::from_str(text).unwrap();
        let clouds = config.clouds().unwrap();
        assert_eq!(clouds.len(), 3);
        assert_eq!(clouds[0].0.hosts, ["127.0.0.1:1"]);
    }
}
