//! How Azure is spoken to: timeouts, api-versions, the budget of requests.

use super::durations::duration;
use azureml_client::budget::{Limit, Limits};
use azureml_client::client::Versions;
use azureml_plan::job::Form;
use azureml_plan::pipeline::Deployments;
use jiff::SignedDuration;
use serde::Deserialize;

/// How Azure is spoken to.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Azure {
    /// How long a request may take; after that it may have had its effect. Azure ML needs up to 25 s for some (recorded).
    #[serde(deserialize_with = "duration")]
    pub request_timeout: SignedDuration,
    /// How long connecting may take.
    #[serde(deserialize_with = "duration")]
    pub connect_timeout: SignedDuration,
    /// The api-versions.
    pub api_versions: ApiVersions,
    /// Whether a pipeline job is sent with the caller's token for Azure Machine Learning (`x-azureml-token`).
    pub send_job_token: bool,
    /// Whether the job of a schedule names the pipeline component (`componentId`); else it has one node that does.
    pub schedule_by_component: bool,
    /// How the settings of a deployment are written.
    pub deployment_settings: Deployments,
    /// Whether a change of a cluster's scale alone is a PATCH; else the whole cluster is written, as it was last read.
    pub scale_by_patch: bool,
    /// The budget of requests of one identity in one subscription.
    pub budget: BudgetConfig,
}

impl Default for Azure {
    fn default() -> Self {
        Self {
            request_timeout: SignedDuration::from_mins(2),
            connect_timeout: SignedDuration::from_secs(10),
            api_versions: ApiVersions::default(),
            send_job_token: false,
            schedule_by_component: true,
            deployment_settings: Deployments::Text,
            scale_by_patch: true,
            budget: BudgetConfig::default(),
        }
    }
}

impl Azure {
    /// How the job of a schedule says what it runs.
    #[must_use]
    pub fn schedule_form(&self) -> Form {
        if self.schedule_by_component { Form::Component } else { Form::Node }
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
