//! Metrics in the OpenMetrics format: passes, requests to Azure, conditions, and the process itself.
//!
//! Labels never hold names of objects or messages.

use azureml_client::send::Sent;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// How a pass ended.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
pub enum Outcome {
    /// All is as it should be.
    Ready,
    /// Work goes on.
    Working,
    /// Only a change can help.
    Stalled,
    /// The object is gone.
    Gone,
    /// The pass itself failed: Kubernetes refused, or it panicked.
    Failed,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Pass {
    kind: &'static str,
    outcome: Outcome,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    verb: &'static str,
    r#type: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Condition {
    kind: &'static str,
    r#type: &'static str,
}

/// All metrics.
pub struct Metrics {
    registry: Registry,
    passes: Family<Pass, Counter>,
    durations: Family<OfKind, Histogram>,
    requests: Family<Request, Counter>,
    request_durations: Family<OfKind, Histogram>,
    conditions: Family<Condition, Gauge>,
    leader: Gauge,
    events_lost: Counter,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 9))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let passes = Family::default();
        let durations = Family::<OfKind, Histogram>::new_with_constructor(seconds);
        let requests = Family::default();
        let request_durations = Family::<OfKind, Histogram>::new_with_constructor(seconds);
        let conditions = Family::default();
        let (leader, events_lost) = (Gauge::default(), Counter::default());
        registry.register("azureml_reconcile", "Passes by kind and outcome", passes.clone());
        registry.register_with_unit(
            "azureml_reconcile_duration",
            "Time of a pass",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register(
            "azureml_azure_requests",
            "Requests to Azure; status 0: no answer",
            requests.clone(),
        );
        registry.register_with_unit(
            "azureml_azure_request_duration",
            "Time of a request to Azure",
            Unit::Seconds,
            request_durations.clone(),
        );
        registry.register("azureml_condition", "Objects by condition that is True", conditions.clone());
        registry.register("azureml_leader", "1 while this process leads", leader.clone());
        registry.register("azureml_events_lost", "Events that were not written", events_lost.clone());
        registry.register_collector(Box::new(process::Process));
        Self { registry, passes, durations, requests, request_durations, conditions, leader, events_lost }
    }
}

impl Metrics {
    /// A pass has ended.
    pub fn pass(&self, kind: &'static str, outcome: Outcome, took: Duration) {
        self.passes.get_or_create(&Pass { kind, outcome }).inc();
        self.durations.get_or_create(&OfKind { kind }).observe(took.as_secs_f64());
    }

    /// A request was sent.
    pub fn request(&self, sent: &Sent) {
        let labels = Request { verb: sent.verb, r#type: sent.kind.clone(), status: sent.status };
        self.requests.get_or_create(&labels).inc();
        self.request_durations.get_or_create(&OfKind { kind: sent.verb }).observe(sent.took.as_secs_f64());
    }

    /// How many objects of a kind have a condition.
    pub fn condition(&self, kind: &'static str, r#type: &'static str, count: i64) {
        self.conditions.get_or_create(&Condition { kind, r#type }).set(count);
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// An event was not written.
    pub fn event_lost(&self) {
        self.events_lost.inc();
    }

    /// Everything, as text.
    ///
    /// # Errors
    /// When a label cannot be written as text, which does not happen.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The process, as Prometheus' own client libraries report it.
mod process {
    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
    use prometheus_client::metrics::gauge::ConstGauge;

    #[derive(Debug)]
    pub struct Process;

    impl Collector for Process {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let rows = [
                ("VmRSS:", "process_resident_memory_bytes", "Resident memory"),
                ("RssAnon:", "process_anonymous_memory_bytes", "Resident memory that no file holds"),
            ];
            for (key, name, help) in rows {
                let line = status.lines().find_map(|line| line.strip_prefix(key));
                let kib =
                    line.and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<i64>().ok());
                if let Some(kib) = kib {
                    let gauge = ConstGauge::new(kib * 1024);
                    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
                }
            }
            let cpu = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_seconds(&stat));
            if let Some(seconds) = cpu {
                let counter = prometheus_client::metrics::counter::ConstCounter::new(seconds);
                counter.encode(encoder.encode_descriptor(
                    "process_cpu_seconds",
                    "CPU time, user and system",
                    None,
                    counter.metric_type(),
                )?)?;
            }
            Ok(())
        }
    }

    /// User and system time of `/proc/self/stat`, in ticks of 10 ms (`USER_HZ`, fixed at 100 on Linux).
    fn cpu_seconds(stat: &str) -> Option<f64> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        Some((user + system) / 100.0)
    }
}
