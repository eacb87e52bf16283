//! From the arguments to clouds and configuration: what the operator is started with, and how the check itself reaches Azure.
//!
//! In: the arguments, the user's configuration file. Out: a cloud, its authorities, the operator's own configuration file.

use crate::args::Args;
use crate::names::Names;
use anyhow::{Context as _, Result};
use azureml_client::ArmId;
use azureml_client::cloud::Cloud;
use azureml_config::{Config, DefaultCloud};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the check takes place.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The cloud.
    pub cloud: Arc<Cloud>,
    /// Certificates of authorities to be trusted beside the system's, as PEM.
    pub ca: Option<Vec<u8>>,
    /// The workspace.
    pub workspace: ArmId,
    /// The operator's configuration, as the program reads it.
    pub config: Config,
    base: Value,
}

impl Setup {
    /// Reads them.
    ///
    /// # Errors
    /// When the configuration is refused, or names no such cloud.
    pub fn read(args: &Args) -> Result<Self> {
        // The check's own identity is one of the cloud that is checked.
        let default_cloud = DefaultCloud(args.cloud.clone());
        let config = Config { default_cloud, ..Config::read(args.config.as_deref())? };
        let base = match &args.config {
            Some(path) => serde_saphyr::from_str(&std::fs::read_to_string(path)?)?,
            None => json!({}),
        };
        let clouds = config.known_clouds()?;
        let names: Vec<String> = clouds.iter().map(|(cloud, _)| cloud.name.clone()).collect();
        let found = clouds.into_iter().find(|(cloud, _)| cloud.name == args.cloud);
        let (cloud, _) = found
            .with_context(|| format!("there is no cloud {:?}; known are {}", args.cloud, names.join(", ")))?;
        let given = |value: &Option<String>, flag: &str| {
            value.clone().with_context(|| format!("--{flag} is missing"))
        };
        let workspace = ArmId::workspace(
            &given(&args.subscription, "subscription")?,
            &given(&args.resource_group, "resource-group")?,
            &given(&args.workspace, "workspace")?,
        );
        let ca = authorities(&config, &args.cloud)?;
        Ok(Self { cloud: Arc::new(cloud), ca, workspace, config, base })
    }

    /// A part of the workspace's id.
    #[must_use]
    pub fn segment(&self, key: &str) -> &str {
        self.workspace.segment(key).unwrap_or_default()
    }

    /// Writes the operator's configuration: the user's, for this check alone, with the recorder's authority to be trusted.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, names: &Names, recorder: &str) -> Result<PathBuf> {
        let authorities = folder.join("authorities.pem");
        let mut pem = recorder.as_bytes().to_vec();
        pem.extend(self.ca.iter().flatten());
        std::fs::write(&authorities, pem)?;
        let mut config = if self.base.is_object() { self.base.clone() } else { json!({}) };
        config["clusterId"] = json!(names.cluster());
        config["defaultCloud"] = json!(self.cloud.name);
        config["grants"] = json!([{"namespaces": [names.namespace()]}]);
        let mut clouds = vec![described(&self.cloud, &authorities)];
        let others = self.base["clouds"].as_array().into_iter().flatten();
        clouds.extend(others.filter(|other| other["name"] != self.cloud.name.as_str()).cloned());
        config["clouds"] = json!(clouds);
        let file = folder.join("operator.yaml");
        std::fs::write(&file, serde_json::to_string_pretty(&config)?)?;
        Ok(file)
    }
}

/// What is trusted in a cloud beside the system's authorities.
fn authorities(config: &Config, cloud: &str) -> Result<Option<Vec<u8>>> {
    let own = config.clouds.iter().filter(|one| one.name == cloud).filter_map(|one| one.ca_file.as_ref());
    let mut pem = Vec::new();
    for file in own.chain(&config.ca_file) {
        pem.extend(std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?);
    }
    Ok((!pem.is_empty()).then_some(pem))
}

/// A cloud as the configuration describes it.
fn described(cloud: &Cloud, authorities: &Path) -> Value {
    json!({
        "name": cloud.name,
        "authority": cloud.authority,
        "resourceManager": cloud.resource_manager,
        "resourceManagerAudience": cloud.resource_manager_audience,
        "machineLearningAudience": cloud.machine_learning_audience,
        "registryAudience": cloud.registry_audience,
        "storageAudience": cloud.storage_audience,
        "storageHosts": cloud.storage_hosts,
        "hosts": cloud.hosts,
        "caFile": authorities,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::certificates::Authority;
    use clap::Parser as _;

    fn setup(more: &[&str]) -> Result<Setup> {
        let common = ["live", "--subscription=s", "--resource-group=g", "--workspace=w", "--operator=o"];
        Setup::read(&Args::parse_from(common.iter().chain(more)))
    }

    #[test]
    fn the_operator_gets_the_cloud_as_it_is_with_one_more_authority() {
        let folder = tempfile::tempdir().unwrap();
        let names = Names::of("live-0a1b2c3d").unwrap();
        let setup = setup(&["--cloud=AzureChina"]).unwrap();
        let recorder = Authority::new().unwrap();
        let file = setup.write(folder.path(), &names, recorder.pem()).unwrap();
        let config = Config::read(Some(&file)).unwrap();
        assert_eq!(config.cluster_id.as_deref(), Some("azureml-live-0a1b2c3d"));
        assert_eq!(config.grants[0].namespaces, ["live-0a1b2c3d"]);
        let clouds = config.clouds().unwrap();
        let (china, ca) = clouds.iter().find(|(cloud, _)| cloud.name == "AzureChina").unwrap();
        assert_eq!(
            format!("{china:?}"),
            format!("{:?}", {
                // Resource Manager's own host is named twice, which changes nothing.
                let mut same = (*setup.cloud).clone();
                same.hosts.push("management.chinacloudapi.cn".into());
                same
            })
        );
        assert_eq!(ca.len(), 1, "the recorder's");
    }

    #[test]
    fn an_unknown_cloud_is_said_with_the_known_ones() {
        let error = setup(&["--cloud=AzureMoon"]).unwrap_err().to_string();
        assert!(error.contains("AzureMoon") && error.contains("AzurePublic"), "{error}");
    }
}
