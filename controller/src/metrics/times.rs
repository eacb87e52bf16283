//! What the metrics have in common: histograms with the buckets that fit, and labels.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use std::time::{Duration, SystemTime};

/// The trace in which a value was measured.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Trace {
    pub(super) trace_id: String,
}

/// Times whose buckets name the last trace that fell in them, where traces are on.
pub(super) type Times<L> = Family<L, HistogramWithExemplars<Trace>>;

pub(super) fn times<L: Clone + std::hash::Hash + Eq>(
    make: fn() -> HistogramWithExemplars<Trace>,
) -> Times<L> {
    Family::new_with_constructor(make)
}

/// Buckets for what ends within a request or a pass: 5 ms to 100 s.
pub(super) fn short() -> HistogramWithExemplars<Trace> {
    HistogramWithExemplars::new([0.005, 0.015, 0.05, 0.15, 0.5, 1.5, 5.0, 15.0, 50.0, 100.0].into_iter())
}

/// Buckets for what waits its turn: 5 ms to 10 minutes.
pub(super) fn waiting() -> HistogramWithExemplars<Trace> {
    HistogramWithExemplars::new([0.005, 0.05, 0.5, 1.0, 5.0, 15.0, 60.0, 180.0, 600.0].into_iter())
}

/// Buckets for what takes Azure its time: half a second to a day.
pub(super) fn long() -> HistogramWithExemplars<Trace> {
    let bounds =
        [0.5, 2.0, 5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 10_800.0, 28_800.0, 86_400.0];
    HistogramWithExemplars::new(bounds.into_iter())
}

pub(super) fn observe<L: Clone + std::hash::Hash + Eq>(times: &Times<L>, labels: &L, took: Duration) {
    let trace = crate::telemetry::trace_id().map(|trace_id| Trace { trace_id });
    let now = trace.is_some().then(SystemTime::now);
    times.get_or_create(labels).observe(took.as_secs_f64(), trace, now);
}

/// A label that says which kind.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OfKind {
    pub(super) kind: &'static str,
}
