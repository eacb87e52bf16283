//! How the runs of schedules are, counted when somebody asks, by the leader alone: what is deleted is not there any more.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::sync::OnceLock;

/// What is wrong with the runs of how many schedules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nights {
    /// The newest run that has ended failed.
    pub failed: i64,
    /// Two firings in a row had time to succeed, and none did.
    pub overdue: i64,
    /// A run has gone on for three times the median.
    pub slow: i64,
    /// The longest time since the last success, in seconds; none where nothing has succeeded yet.
    pub since_success: Option<i64>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct State {
    state: &'static str,
}

type Count = Box<dyn Fn() -> Nights + Send + Sync>;

/// The schedules, once something counts them.
#[derive(Default)]
pub struct Schedules(OnceLock<Count>);

impl std::fmt::Debug for Schedules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Schedules")
    }
}

impl Schedules {
    /// Sets the function that counts them.
    pub fn counted_by(&self, count: impl Fn() -> Nights + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(count));
    }
}

impl Collector for Schedules {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(Nights { failed, overdue, slow, since_success }) = self.0.get().map(|count| count()) else {
            return Ok(());
        };
        {
            let help = "Schedules whose newest run failed, that succeed no more, or whose run takes long; told by the leader alone";
            let name = "azureml_operator_schedules";
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (state, count) in [("failed", failed), ("overdue", overdue), ("slow", slow)] {
                ConstGauge::new(count).encode(metric.encode_family(&State { state })?)?;
            }
        }
        let Some(seconds) = since_success else { return Ok(()) };
        let help = "Longest time since the last success of a schedule that is not suspended; told by the leader alone";
        let name = "azureml_operator_schedule_since_success";
        let metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
        ConstGauge::new(seconds).encode(metric)
    }
}
