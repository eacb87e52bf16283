//! Passes as spans: all passes that one change needed are one trace, whose first pass is the root.
//!
//! In: an object, and where its trace began. Out: the span that the pass runs in. Costs nothing but that span while off.

use crate::outcome::Outcome;
use kube::{Resource, ResourceExt as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

static IS_ON: AtomicBool = AtomicBool::new(false);

pub(super) fn switch_on() {
    IS_ON.store(true, Ordering::Relaxed);
}

fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// Where the trace of a change began: in the first pass that saw it.
pub type Origin = Box<SpanContext>;

/// The trace that is recorded now.
#[must_use]
pub fn trace_id() -> Option<String> {
    if !is_on() {
        return None;
    }
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    (span.is_valid() && span.is_sampled()).then(|| span.trace_id().to_string())
}

/// The span of a pass.
pub struct PassSpan {
    /// What the pass runs in.
    pub span: Span,
    /// Where its trace began; none while traces are off.
    pub origin: Option<Origin>,
}

impl PassSpan {
    /// A span for a pass over an object: in the trace that is given, else in one of its own.
    #[must_use]
    pub fn new<K: Resource<DynamicType = ()>>(
        object: &K,
        kind: &'static str,
        origin: Option<Origin>,
    ) -> Self {
        // Of the highest level, so that no filter of lines takes their context away.
        let span = tracing::error_span!(
            parent: None,
            "pass",
            otel.name = format!("pass {kind}"),
            otel.status_code = Empty,
            kind,
            namespace = object.namespace(),
            name = object.name_any(),
            generation = object.meta().generation,
            pass = pass_id(),
            trace_id = Empty,
            outcome = Empty,
            reason = Empty,
        );
        if !is_on() {
            return Self { span, origin: None };
        }
        if let Some(origin) = &origin {
            let before = opentelemetry::Context::new().with_remote_span_context(origin.as_ref().clone());
            let _ = span.set_parent(before);
        }
        let context = span.context();
        let own = context.span().span_context().clone();
        span.record("trace_id", own.trace_id().to_string());
        Self { span, origin: origin.or_else(|| own.is_valid().then(|| Box::new(own))) }
    }

    /// Says how the pass ended.
    pub fn ended(&self, outcome: Outcome, reason: Option<&str>) {
        self.span.record("outcome", outcome.word());
        self.span.record("reason", reason);
        if matches!(outcome, Outcome::Refused | Outcome::Panicked | Outcome::Stalled) {
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

/// A name for a pass that no other pass has, of this process or another.
fn pass_id() -> String {
    azure_core::Uuid::new_v4().simple().to_string()[..16].to_owned()
}
