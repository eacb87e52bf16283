//! Logs: JSON for machines, text for people, to standard error.

use crate::args::LogFormat;
use anyhow::{Context as _, Result, anyhow};
use tracing_subscriber::EnvFilter;

/// Starts to log.
///
/// # Errors
/// When the filter is refused.
pub fn start(format: LogFormat, filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("--log {filter:?} is refused"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    started.map_err(|error| anyhow!("failed to start logging: {error}"))
}
