//! Logs and traces: JSON for machines or text for people, to standard error; spans to a collector where one is named.
//!
//! In: flags, and the `OTEL_…` variables. Out: nothing of it is ever waited for by a pass.

mod collector;
mod line;
pub mod texts;
mod trace;

pub use self::trace::{Origin, PassSpan, trace_id};

use crate::args::LogFormat;
use anyhow::{Context as _, Result, anyhow};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, FilterFn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

/// How long the last spans may take to be sent when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What has to be ended with the process.
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown_with_timeout(LAST_WORDS)
        {
            tracing::warn!("the last spans were not sent: {error}");
        }
    }
}

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts to log, and to trace where a collector is named.
///
/// # Errors
/// When the filter is refused, or the collector's address.
pub fn start(format: LogFormat, filter: &str, runtime: &Handle) -> Result<Telemetry> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("--log {filter:?} is refused"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Boxed = match format {
        LogFormat::Json => lines
            .fmt_fields(tracing_subscriber::fmt::format::JsonFields::new())
            .event_format(line::Json)
            .with_filter(filter.and(FilterFn::new(has_no_body)))
            .boxed(),
        LogFormat::Text => lines.with_filter(filter.and(FilterFn::new(has_no_body))).boxed(),
    };
    let provider = collector::provider(runtime)?;
    let spans = provider.as_ref().map(|provider| {
        trace::switch_on();
        let spans = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("azureml-operator"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        spans.with_filter(FilterFn::new(is_traced).with_max_level_hint(Level::DEBUG)).boxed()
    });
    let layers: Vec<Boxed> = [Some(lines), spans].into_iter().flatten().collect();
    let started = tracing_subscriber::registry().with(layers).try_init();
    started.map_err(|error| anyhow!("failed to start logging: {error}"))?;
    Ok(Telemetry(provider))
}

/// kube's client prints the whole answer of the API server that it cannot read: all objects of a list. What failed is said by us.
fn has_no_body(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() || !metadata.target().starts_with("kube_client::client")
}

/// Our own spans, and what went wrong in them.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("azureml_") && (metadata.is_span() || *metadata.level() <= Level::WARN)
}
