//! Metrics: what the process did, and how it is. Shown as OpenMetrics, or in Prometheus' own text format.
//!
//! Labels never hold names of objects, subscriptions or messages, so that what is kept does not grow with what is served. What is a
//! team's has the namespace of its objects, within a bound.

mod azure;
mod format;
mod life;
mod namespaces;
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
    /// The namespaces that have series of their own.
    pub namespaces: Arc<namespaces::Namespaces>,
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
        let namespaces = Arc::<namespaces::Namespaces>::default();
        let metrics = (
            Passes::new(&mut registry),
            AzureMetrics::new(&mut registry),
            Life::new(&mut registry),
            Work::new(&mut registry, namespaces.clone()),
        );
        let (passes, azure, life, work) = metrics;
        let objects = Arc::new(objects::Objects::new(namespaces.clone()));
        let schedules = Arc::new(schedules::Schedules::new(namespaces.clone()));
        let queues = Arc::default();
        registry.register_collector(Box::new(Arc::clone(&objects)));
        registry.register_collector(Box::new(Arc::clone(&queues)));
        registry.register_collector(Box::new(Arc::clone(&schedules)));
        registry.register_collector(Box::new(process::Process));
        Self { registry, passes, azure, life, work, namespaces, objects, queues, schedules }
    }
}

impl Metrics {
    /// Everything, as OpenMetrics.
    ///
    /// # Errors
    /// When a label cannot be written as text, which does not happen.
    pub fn open_metrics(&self) -> Result<String, std::fmt::Error> {
        if let Some(seen) = self.namespaces.look() {
            self.work.show(&seen);
        }
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
mod tests;
