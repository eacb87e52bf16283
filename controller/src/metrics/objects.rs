//! Objects by kind and condition, counted when somebody asks: what is deleted is not there any more.

use super::namespaces::Namespaces;
use super::times::OfKind;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// The objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The kind.
    pub kind: &'static str,
    /// How many there are.
    pub all: i64,
    /// How many have a condition, by their namespace, its type and its status.
    pub conditions: Vec<(String, &'static str, &'static str, i64)>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, PartialOrd, Ord, EncodeLabelSet)]
struct Condition {
    object_namespace: String,
    kind: &'static str,
    r#type: &'static str,
    status: &'static str,
}

type Count = Box<dyn Fn() -> Vec<Counted> + Send + Sync>;

/// The objects, once something counts them.
pub struct Objects {
    count: OnceLock<Count>,
    namespaces: Arc<Namespaces>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Objects")
    }
}

impl Objects {
    pub(super) fn new(namespaces: Arc<Namespaces>) -> Self {
        Self { count: OnceLock::new(), namespaces }
    }

    /// Sets the function that counts them.
    pub fn counted_by(&self, count: impl Fn() -> Vec<Counted> + Send + Sync + 'static) {
        let _ = self.count.set(Box::new(count));
    }

    /// How many objects have each condition; of namespaces that share a value, together.
    fn conditions(&self, kinds: Vec<Counted>) -> BTreeMap<Condition, i64> {
        let mut conditions = BTreeMap::new();
        for Counted { kind, conditions: rows, .. } in kinds {
            for (namespace, r#type, status, count) in rows {
                let object_namespace = self.namespaces.value(&namespace);
                *conditions.entry(Condition { object_namespace, kind, r#type, status }).or_default() += count;
            }
        }
        conditions
    }
}

impl Collector for Objects {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let kinds = self.count.get().map(|count| count()).unwrap_or_default();
        {
            let help = "Objects by kind; told by the leader alone";
            let name = "azureml_operator_objects";
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for counted in &kinds {
                let labels = OfKind { kind: counted.kind };
                ConstGauge::new(counted.all).encode(metric.encode_family(&labels)?)?;
            }
        }
        let help = "Objects by namespace, kind and the status of a condition; told by the leader alone";
        let name = "azureml_operator_object_conditions";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, count) in self.conditions(kinds) {
            ConstGauge::new(count).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
