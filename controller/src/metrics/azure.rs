//! Requests to Azure: how many, how they were answered, how long they took, and what is left of the budget.
//!
//! A subscription is no label: users name them. What is left is told of the scarcest budget; the log says whose it is.

use super::times::{Times, observe, short, times, waiting};
use azureml_client::budget::{Bucket, Urgency};
use azureml_client::send::{Sent, Told};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    verb: &'static str,
    r#type: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Operation {
    verb: &'static str,
    r#type: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Waiting {
    class: &'static str,
    urgency: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Class {
    class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    result: &'static str,
}

/// The share that is left of the scarcest budget of each class; none before a budget is used.
pub type Left = Arc<dyn Fn() -> Vec<(Bucket, f64)> + Send + Sync>;

/// What is counted of requests to Azure.
pub struct AzureMetrics {
    requests: Family<Request, Counter>,
    took: Times<Operation>,
    waited: Times<Waiting>,
    tokens: Family<Of, Counter>,
    types: Mutex<BTreeSet<String>>,
    left: Arc<Budgets>,
}

/// Types beyond so many are told as one: a type comes from ids, and ids come from users.
const MOST_TYPES: usize = 64;
const OTHER: &str = "other";

impl AzureMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (requests, tokens) = (Family::default(), Family::<Of, Counter>::default());
        let (took, waited, left) = (times(short), times(waiting), Arc::<Budgets>::default());
        for result in ["success", "failure"] {
            let _ = tokens.get_or_create(&Of { result });
        }
        let help = "Requests to Azure by verb, type of resource and HTTP status; 0 where no answer came";
        registry.register("azureml_operator_azure_requests", help, requests.clone());
        registry.register_with_unit(
            "azureml_operator_azure_request_duration",
            "Time from sending a request to Azure until its whole answer was there",
            Unit::Seconds,
            took.clone(),
        );
        registry.register_with_unit(
            "azureml_operator_azure_budget_wait",
            "Time that a request waited for the budget before it was sent",
            Unit::Seconds,
            waited.clone(),
        );
        registry.register(
            "azureml_operator_azure_token_requests",
            "Tokens that were asked for, by result",
            tokens.clone(),
        );
        registry.register_collector(Box::new(left.clone()));
        Self { requests, took, waited, tokens, types: Mutex::default(), left }
    }

    /// The client has something to tell of a request.
    pub fn told(&self, told: &Told<'_>) {
        match told {
            Told::Sent(sent) => self.sent(sent),
            Told::Waited { bucket, urgency, took } => {
                let urgency = match urgency {
                    Urgency::Change => "change",
                    Urgency::Drift => "drift",
                };
                observe(&self.waited, &Waiting { class: bucket.word(), urgency }, *took);
            }
            Told::Token { is_given } => {
                let result = if *is_given { "success" } else { "failure" };
                self.tokens.get_or_create(&Of { result }).inc();
            }
        }
    }

    /// Where to ask for what is left of the budgets.
    pub fn left_from(&self, left: Left) {
        let _ = self.left.0.set(left);
    }

    fn sent(&self, sent: &Sent) {
        let r#type = self.bounded(&sent.kind);
        let labels = Request { verb: sent.verb, r#type: r#type.clone(), status: sent.status };
        self.requests.get_or_create(&labels).inc();
        observe(&self.took, &Operation { verb: sent.verb, r#type }, sent.took);
    }

    fn bounded(&self, kind: &str) -> String {
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        if !types.contains(kind) {
            if types.len() >= MOST_TYPES {
                return OTHER.to_owned();
            }
            types.insert(kind.to_owned());
        }
        kind.to_owned()
    }
}

#[derive(Default)]
struct Budgets(OnceLock<Left>);

impl std::fmt::Debug for Budgets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Budgets")
    }
}

impl Collector for Budgets {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let left = self.0.get().map(|left| left()).unwrap_or_default();
        let help = "Share that is left of the scarcest budget of requests to Azure, by class";
        let name = "azureml_operator_azure_budget_available_ratio";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (bucket, share) in left {
            ConstGauge::new(share).encode(metric.encode_family(&Class { class: bucket.word() })?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn no_more_types_are_kept_than_so_many() {
        let mut registry = Registry::default();
        let azure = AzureMetrics::new(&mut registry);
        for number in 0..10 * MOST_TYPES {
            let kind = format!("type{number}");
            azure.sent(&Sent { verb: "GET", kind, status: 200, took: Duration::ZERO });
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert_eq!(text.matches("azure_requests_total{").count(), MOST_TYPES + 1);
        let others = 9 * MOST_TYPES;
        assert!(text.contains(&format!("type=\"other\",status=\"200\"}} {others}")), "{text}");
    }
}
