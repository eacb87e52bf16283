//! Metrics: what the process did, and how it is. Shown as OpenMetrics, or in Prometheus' own text format.
//!
//! Labels never hold names of objects, subscriptions or messages, so that what is kept does not grow with what is served.

mod azure;
mod format;
mod life;
mod objects;
mod passes;
mod process;
mod queues;
mod schedules;
mod times;
mod work;

pub use self::azure::{AzureMetrics, Left};
pub use self::life::Life;
pub use self::objects::Counted;
pub use self::passes::Passes;
pub use self::queues::{Latency, Queued, Sample};
pub use self::schedules::Nights;
pub use self::work::{BUILDS, Done, Ends, Fired, RUNS, Work};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// All metrics.
pub struct Metrics {
    registry: Registry,
    /// Passes.
    pub passes: Passes,
    /// Requests to Azure.
    pub azure: AzureMetrics,
    /// The life of the process.
    pub life: Life,
    /// What was done in Azure.
    pub work: Work,
    /// The objects, where this process leads.
    pub objects: Arc<objects::Objects>,
    /// The queues, where this process leads.
    pub queues: Arc<queues::Queues>,
    /// The runs of schedules, where this process leads.
    pub schedules: Arc<schedules::Schedules>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let metrics = (
            Passes::new(&mut registry),
            AzureMetrics::new(&mut registry),
            Life::new(&mut registry),
            Work::new(&mut registry),
        );
        let (passes, azure, life, work) = metrics;
        let (objects, queues, schedules) = (Arc::default(), Arc::default(), Arc::default());
        registry.register_collector(Box::new(Arc::clone(&objects)));
        registry.register_collector(Box::new(Arc::clone(&queues)));
        registry.register_collector(Box::new(Arc::clone(&schedules)));
        registry.register_collector(Box::new(process::Process));
        Self { registry, passes, azure, life, work, objects, queues, schedules }
    }
}

impl Metrics {
    /// Everything, as OpenMetrics.
    ///
    /// # Errors
    /// When a label cannot be written as text, which does not happen.
    pub fn open_metrics(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Everything, in Prometheus' text format.
    ///
    /// # Errors
    /// As [`Metrics::open_metrics`].
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        self.open_metrics().map(|text| format::prometheus(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_whole_and_name_the_build() {
        let metrics = Metrics::default();
        let (open, text) = (metrics.open_metrics().unwrap(), metrics.text().unwrap());
        let build = concat!("azureml_operator_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"");
        assert!(open.contains(build) && text.contains(build), "{open}");
        assert!(open.ends_with("# EOF\n") && !text.contains("# EOF"));
    }

    #[test]
    fn what_alerts_count_is_there_from_the_start_at_zero() {
        let text = Metrics::default().text().unwrap();
        for line in [
            "azureml_operator_leader 0",
            "azureml_operator_builds_total{result=\"failed\"} 0",
            "azureml_operator_runs_total{result=\"failed\"} 0",
            "azureml_operator_scheduled_runs_total{result=\"failed\"} 0",
            "azureml_operator_schedule_firings_total{result=\"missed\"} 0",
            "azureml_operator_lease_renewals_total{result=\"failure\"} 0",
            "azureml_operator_azure_token_requests_total{result=\"failure\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }
}
