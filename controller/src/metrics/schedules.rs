//! How the runs of schedules are, counted when somebody asks, by the leader alone: what is deleted is not there any more.

use super::namespaces::Namespaces;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

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
    object_namespace: String,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    object_namespace: String,
}

impl Nights {
    /// These and those of others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self {
            failed: self.failed + others.failed,
            overdue: self.overdue + others.overdue,
            slow: self.slow + others.slow,
            since_success: self.since_success.max(others.since_success),
        }
    }
}

type Count = Box<dyn Fn() -> BTreeMap<String, Nights> + Send + Sync>;

/// The schedules, once something counts them.
pub struct Schedules {
    count: OnceLock<Count>,
    namespaces: Arc<Namespaces>,
}

impl std::fmt::Debug for Schedules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Schedules")
    }
}

impl Schedules {
    pub(super) fn new(namespaces: Arc<Namespaces>) -> Self {
        Self { count: OnceLock::new(), namespaces }
    }

    /// Sets the function that counts them by namespace.
    pub fn counted_by(&self, count: impl Fn() -> BTreeMap<String, Nights> + Send + Sync + 'static) {
        let _ = self.count.set(Box::new(count));
    }

    /// The schedules by the value of their namespace; nothing where this process does not count.
    fn by_value(&self) -> Option<BTreeMap<String, Nights>> {
        let mut all = BTreeMap::<String, Nights>::new();
        for (namespace, nights) in self.count.get().map(|count| count())? {
            let of = all.entry(self.namespaces.value(&namespace)).or_default();
            *of = of.and(nights);
        }
        Some(all)
    }
}

impl Collector for Schedules {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(all) = self.by_value() else { return Ok(()) };
        {
            let help = "Schedules whose newest run failed, that succeed no more, or whose run takes long; told by the leader alone";
            let name = "azureml_operator_schedules";
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (object_namespace, Nights { failed, overdue, slow, .. }) in &all {
                for (state, count) in [("failed", failed), ("overdue", overdue), ("slow", slow)] {
                    let labels = State { object_namespace: object_namespace.clone(), state };
                    ConstGauge::new(*count).encode(metric.encode_family(&labels)?)?;
                }
            }
        }
        if all.values().all(|nights| nights.since_success.is_none()) {
            return Ok(());
        }
        let help = "Longest time since the last success of a schedule that is not suspended; told by the leader alone";
        let name = "azureml_operator_schedule_since_success";
        let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
        for (object_namespace, nights) in all {
            if let Some(seconds) = nights.since_success {
                ConstGauge::new(seconds).encode(metric.encode_family(&Of { object_namespace })?)?;
            }
        }
        Ok(())
    }
}
