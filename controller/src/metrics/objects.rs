//! Objects by kind and condition, counted when somebody asks: what is deleted is not there any more.

use super::times::OfKind;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::sync::OnceLock;

/// The objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The kind.
    pub kind: &'static str,
    /// How many there are.
    pub all: i64,
    /// How many have a condition, by its type and status.
    pub conditions: Vec<(&'static str, &'static str, i64)>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Condition {
    kind: &'static str,
    r#type: &'static str,
    status: &'static str,
}

type Count = Box<dyn Fn() -> Vec<Counted> + Send + Sync>;

/// The objects, once something counts them.
#[derive(Default)]
pub struct Objects(OnceLock<Count>);

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Objects")
    }
}

impl Objects {
    /// Sets the function that counts them.
    pub fn counted_by(&self, count: impl Fn() -> Vec<Counted> + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(count));
    }
}

impl Collector for Objects {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let kinds = self.0.get().map(|count| count()).unwrap_or_default();
        {
            let help = "Objects by kind; told by the leader alone";
            let name = "azureml_operator_objects";
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for counted in &kinds {
                let labels = OfKind { kind: counted.kind };
                ConstGauge::new(counted.all).encode(metric.encode_family(&labels)?)?;
            }
        }
        let help = "Objects by kind and by the status of a condition; told by the leader alone";
        let name = "azureml_operator_object_conditions";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for counted in &kinds {
            for &(r#type, status, count) in &counted.conditions {
                let labels = Condition { kind: counted.kind, r#type, status };
                ConstGauge::new(count).encode(metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
