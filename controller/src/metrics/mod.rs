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
mod work;

pub use self::azure::{AzureMetrics, Left};
pub use self::life::Life;
pub use self::objects::Counted;
pub use self::passes::{Outcome, Passes};
pub use self::queues::{Latency, Queued, Sample};
pub use self::work::{BUILDS, Done, Fired, RUNS, Work};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
        let (objects, queues) = (Arc::default(), Arc::default());
        registry.register_collector(Box::new(Arc::clone(&objects)));
        registry.register_collector(Box::new(Arc::clone(&queues)));
        registry.register_collector(Box::new(process::Process));
        Self { registry, passes, azure, life, work, objects, queues }
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

/// The trace in which a value was measured.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Trace {
    trace_id: String,
}

/// Times whose buckets name the last trace that fell in them, where traces are on.
type Times<L> = Family<L, HistogramWithExemplars<Trace>>;

fn times<L: Clone + std::hash::Hash + Eq>(make: fn() -> HistogramWithExemplars<Trace>) -> Times<L> {
    Family::new_with_constructor(make)
}

/// Buckets for what ends within a request or a pass: 5 ms to 100 s.
fn short() -> HistogramWithExemplars<Trace> {
    HistogramWithExemplars::new([0.005, 0.015, 0.05, 0.15, 0.5, 1.5, 5.0, 15.0, 50.0, 100.0].into_iter())
}

/// Buckets for what waits its turn: 5 ms to 10 minutes.
fn waiting() -> HistogramWithExemplars<Trace> {
    HistogramWithExemplars::new([0.005, 0.05, 0.5, 1.0, 5.0, 15.0, 60.0, 180.0, 600.0].into_iter())
}

/// Buckets for what takes Azure its time: half a second to a day.
fn long() -> HistogramWithExemplars<Trace> {
    let bounds =
        [0.5, 2.0, 5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 10_800.0, 28_800.0, 86_400.0];
    HistogramWithExemplars::new(bounds.into_iter())
}

fn observe<L: Clone + std::hash::Hash + Eq>(times: &Times<L>, labels: &L, took: Duration) {
    let trace = crate::telemetry::trace_id().map(|trace_id| Trace { trace_id });
    let now = trace.is_some().then(SystemTime::now);
    times.get_or_create(labels).observe(took.as_secs_f64(), trace, now);
}

/// A label that says which kind.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
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
            "azureml_operator_schedule_firings_total{result=\"missed\"} 0",
            "azureml_operator_lease_renewals_total{result=\"failure\"} 0",
            "azureml_operator_azure_token_requests_total{result=\"failure\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }
}
