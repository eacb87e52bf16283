//! What the configuration says of the ways to Azure and to registries, as `azureml-access` takes it, and of what plans are made with.
//!
//! In: the configuration. Out: clouds with their certificates, timeouts, budgets. Reads the files that it names.

use super::{Config, std_duration};
use anyhow::Result;
use azureml_access::connect::Times;
use azureml_access::identity::Reach;
use azureml_plan::resolve::Settings;

impl Config {
    /// What is to be reached, and how.
    ///
    /// # Errors
    /// When a file with certificates cannot be read.
    pub fn reach(&self) -> Result<Reach> {
        let azure = &self.azure;
        let [connect, request] = [azure.connect_timeout, azure.request_timeout].map(std_duration);
        Ok(Reach {
            clouds: self.clouds()?,
            default_cloud: self.default_cloud.0.clone(),
            everywhere: self.authorities()?,
            mirrors: self.mirrors(),
            allow_private_addresses: self.registries.allow_private_addresses,
            times: Times { connect, request },
            versions: azure.api_versions.clone().into(),
            limits: azure.budget.clone().into(),
            send_job_token: azure.send_job_token,
        })
    }

    /// What references are resolved with.
    #[must_use]
    pub fn settings(&self, cluster: String) -> Settings {
        Settings {
            cluster,
            grants: self.grants.clone(),
            default_cloud: self.default_cloud.0.clone(),
            resync: self.intervals.resync,
            schedule_form: self.azure.schedule_form(),
            deployments: self.azure.deployment_settings,
            scales_by_patch: self.azure.scale_by_patch,
        }
    }
}
