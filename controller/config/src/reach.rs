//! What the configuration says of the ways to Azure and to registries, as `azureml-access` takes it.
//!
//! In: the configuration. Out: clouds with their certificates, timeouts, budgets. Reads the files that it names.

use super::{Config, std_duration};
use anyhow::Result;
use azureml_access::connect::Times;
use azureml_access::identity::Reach;

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
}
