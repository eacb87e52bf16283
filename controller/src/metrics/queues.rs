//! The queues of passes, under the names that controller-runtime gives its own, so that dashboards made for those show ours.
//!
//! Source: the `workqueue_*` family of client-go and controller-runtime. Told by the leader alone: before, nothing is worked off.

use super::times::{Trace, waiting};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::gauge::ConstGauge;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Objects that wait for a pass.
    pub depth: i64,
    /// How often an object came in.
    pub adds: u64,
    /// How often one came again because its pass had failed.
    pub retries: u64,
    /// Passes that run.
    pub running: i64,
    /// How long these have run, together.
    pub unfinished: Duration,
    /// How long the oldest of them has run.
    pub longest: Duration,
}

/// A queue that tells how it is.
pub trait Queued: Send + Sync {
    /// How it is now.
    fn sample(&self) -> Sample;
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Name {
    name: &'static str,
}

/// How long objects waited.
#[derive(Clone, Debug)]
pub struct Latency(HistogramWithExemplars<Trace>);

impl Latency {
    /// An object waited so long.
    pub fn waited(&self, time: Duration) {
        self.0.observe(time.as_secs_f64(), None, None);
    }
}

struct Open {
    name: &'static str,
    queue: Arc<dyn Queued>,
    latency: Latency,
}

/// The queues that are worked off.
#[derive(Default)]
pub struct Queues(Mutex<Vec<Open>>);

impl std::fmt::Debug for Queues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queues")
    }
}

impl Queues {
    /// A queue is worked off from now on; gives where its latencies are told.
    pub fn open(&self, name: &'static str, queue: Arc<dyn Queued>) -> Latency {
        let latency = Latency(waiting());
        let open = Open { name, queue, latency: latency.clone() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(open);
        latency
    }
}

/// A metric: its name, what it means, and where a sample has it.
type Told<T> = (&'static str, &'static str, fn(&Sample) -> T);

const COUNTERS: [Told<u64>; 2] = [
    ("workqueue_adds", "Objects that came into a queue", |sample| sample.adds),
    ("workqueue_retries", "Objects that came again after a pass that failed", |sample| sample.retries),
];

const GAUGES: [Told<f64>; 4] = [
    ("workqueue_depth", "Objects that wait for a pass", |sample| count(sample.depth)),
    ("workqueue_unfinished_work_seconds", "Time that running passes have taken so far", |sample| {
        sample.unfinished.as_secs_f64()
    }),
    ("workqueue_longest_running_processor_seconds", "Time that the oldest pass has run", |sample| {
        sample.longest.as_secs_f64()
    }),
    ("azureml_operator_passes_running", "Passes that run", |sample| count(sample.running)),
];

type Row = (&'static str, Box<dyn EncodeMetric>);

fn family(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, kind): (&str, &str, MetricType),
    rows: impl Iterator<Item = Row>,
) -> Result<(), std::fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for (name, value) in rows {
        value.encode(metric.encode_family(&Name { name })?)?;
    }
    Ok(())
}

impl Collector for Queues {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let samples: Vec<(&'static str, Sample)> =
            open.iter().map(|open| (open.name, open.queue.sample())).collect();
        for (name, help, of) in COUNTERS {
            let rows = samples
                .iter()
                .map(|(name, sample)| -> Row { (name, Box::new(ConstCounter::new(of(sample)))) });
            family(&mut encoder, (name, help, MetricType::Counter), rows)?;
        }
        for (name, help, of) in GAUGES {
            let rows =
                samples.iter().map(|(name, sample)| -> Row { (name, Box::new(ConstGauge::new(of(sample)))) });
            family(&mut encoder, (name, help, MetricType::Gauge), rows)?;
        }
        let about = (
            "workqueue_queue_duration_seconds",
            "Time that an object waited for its pass",
            MetricType::Histogram,
        );
        let rows = open.iter().map(|open| -> Row { (open.name, Box::new(open.latency.0.clone())) });
        family(&mut encoder, about, rows)
    }
}

/// A count as a gauge; there are never so many that this loses one.
fn count(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}
