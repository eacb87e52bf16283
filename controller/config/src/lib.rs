//! The configuration file: clouds, grants, registries, intervals. Every field has a default, unknown fields are refused.
//!
//! In: YAML. Out: values in their own types, or an error that names the field.

mod azure;
mod durations;
mod intervals;
mod reach;
mod sources;

pub use self::azure::{ApiVersions, Azure, BudgetConfig, LimitConfig};
use self::durations::duration;
pub use self::durations::std_duration;
pub use self::intervals::Intervals;
pub use self::sources::Sources;
use anyhow::{Context as _, Result, bail};
use azureml_access::clouds::{CloudConfig, built_in_clouds};
use azureml_client::cloud::Cloud;
use azureml_client::registry::Mirror;
pub use azureml_plan::grants::Grant;
use jiff::SignedDuration;
use reqwest::Certificate;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use url::Url;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// Identifies this cluster in the tags of Azure resources; the flag `--cluster-id` wins.
    pub cluster_id: Option<String>,
    /// A file with certificates of authorities to be trusted by everything that goes out to Azure and to registries,
    /// beside the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// The cloud of an MLWorkspace that names none, to which the controller's own identity belongs.
    pub default_cloud: DefaultCloud,
    /// Clouds beside or instead of the built-in `AzurePublic`, `AzureChina` and `AzureUSGovernment`.
    pub clouds: Vec<CloudConfig>,
    /// Which namespaces may use the controller's identities, and for what. None is the default.
    pub grants: Vec<Grant>,
    /// How container registries are reached.
    pub registries: Registries,
    /// How files are fetched from elsewhere.
    pub sources: Sources,
    /// How often things are looked at and tried again.
    pub intervals: Intervals,
    /// How Azure is spoken to.
    pub azure: Azure,
    /// Leader election.
    pub lease: Lease,
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

/// The name of a cloud; `AzurePublic` where none is written.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct DefaultCloud(pub String);

impl Default for DefaultCloud {
    fn default() -> Self {
        Self("AzurePublic".to_owned())
    }
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
        if lease.duration.subsec_nanos() != 0 {
            bail!(
                "lease: duration must be whole seconds, which is what a Lease can say; it is {:?}",
                lease.duration
            );
        }
        let default = &self.default_cloud.0;
        let is_described = self.clouds.iter().any(|cloud| cloud.name == *default);
        if !is_described && !built_in_clouds()?.iter().any(|cloud| cloud.name == *default) {
            bail!("defaultCloud: there is no cloud {:?}; describe it in clouds", self.default_cloud.0);
        }
        for cloud in &self.clouds {
            if cloud.resource_manager.scheme() != "https" || !cloud.authority.starts_with("https://") {
                bail!("clouds: {}: authority and resourceManager must be https addresses", cloud.name);
            }
        }
        Ok(())
    }

    /// The authorities that are trusted everywhere beside the system's.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no certificate.
    pub fn authorities(&self) -> Result<Vec<Certificate>> {
        self.ca_file.as_deref().map_or_else(|| Ok(Vec::new()), |path| certificates(path).context("caFile"))
    }

    /// All clouds with the authorities that only they trust: the configured ones, and the built-in ones that they do
    /// not replace.
    ///
    /// # Errors
    /// When a file with certificates cannot be read.
    pub fn known_clouds(&self) -> Result<Vec<(Cloud, Vec<Certificate>)>> {
        let mut clouds = Vec::new();
        for config in &self.clouds {
            let own = config.ca_file.as_deref().map(certificates).transpose();
            let own = own.with_context(|| format!("clouds: {}: caFile", config.name))?;
            clouds.push((config.cloud(), own.unwrap_or_default()));
        }
        let built_in = built_in_clouds()?.into_iter();
        let is_replaced = |cloud: &Cloud| self.clouds.iter().any(|own| own.name == cloud.name);
        clouds.extend(built_in.filter(|cloud| !is_replaced(cloud)).map(|cloud| (cloud, Vec::new())));
        Ok(clouds)
    }

    /// The clouds in use: the configured ones, and of the built-in ones the default and those that a grant names.
    ///
    /// # Errors
    /// When a file with certificates cannot be read.
    pub fn clouds(&self) -> Result<Vec<(Cloud, Vec<Certificate>)>> {
        let is_own = |cloud: &Cloud| self.clouds.iter().any(|own| own.name == cloud.name);
        let mut clouds = self.known_clouds()?;
        clouds.retain(|(cloud, _)| is_own(cloud) || self.names(&cloud.name));
        Ok(clouds)
    }

    /// Whether a cloud is in use: a credential is not to be sent to a sign-in that nobody here knows.
    fn names(&self, cloud: &str) -> bool {
        cloud == self.default_cloud.0
            || self
                .grants
                .iter()
                .any(|grant| grant.clouds.iter().any(|name| name.eq_ignore_ascii_case(cloud)))
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

/// The certificates of a PEM file; one without any would be a mistake that only shows later.
fn certificates(path: &Path) -> Result<Vec<Certificate>> {
    let pem = std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    let found = Certificate::from_pem_bundle(&pem)
        .with_context(|| format!("failed to read the certificates of {}", path.display()))?;
    if found.is_empty() {
        bail!("{} holds no certificate in PEM", path.display());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_means_every_default() {
        let config: Config = serde_saphyr::from_str("{}").unwrap();
        config.check().unwrap();
        assert_eq!(config.clouds().unwrap().len(), 1, "what nobody names is off");
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
    fn a_file_of_authorities_without_certificates_is_named() {
        let config: Config = serde_saphyr::from_str("caFile: /dev/null").unwrap();
        let error = format!("{:#}", config.authorities().unwrap_err());
        assert_eq!(error, "caFile: /dev/null holds no certificate in PEM");
    }

    #[test]
    fn a_configured_cloud_replaces_the_built_in_one_of_its_name() {
        let text = "clouds: [{name: AzurePublic, authority: 'https://127.0.0.1:1', resourceManager: 'https://127.0.0.1:1'}]";
        let config: Config = serde_saphyr::from_str(text).unwrap();
        let clouds = config.clouds().unwrap();
        assert_eq!(clouds.len(), 1);
        assert_eq!(clouds[0].0.hosts, ["127.0.0.1:1"]);
        let text = "{defaultCloud: AzureUSGovernment, grants: [{namespaces: [n], clients: [c], clouds: [AzureChina]}]}";
        let config: Config = serde_saphyr::from_str(text).unwrap();
        let names: Vec<String> = config.clouds().unwrap().into_iter().map(|(cloud, _)| cloud.name).collect();
        assert_eq!(names, ["AzureChina", "AzureUSGovernment"]);
        let config: Config = serde_saphyr::from_str("defaultCloud: AzureMoon").unwrap();
        assert!(config.check().unwrap_err().to_string().contains("AzureMoon"));
    }
}
