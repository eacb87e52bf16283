//! The state of a build, in the words of ACR.
//!
//! In: a task run, or what a status tells of it. Out: a word, and whether the build goes on.

use serde_json::Value;

/// The state of a task run's build, in the words of ACR.
#[must_use]
pub fn build_state(run: &Value) -> &str {
    let provisioning = run["properties"]["provisioningState"].as_str().unwrap_or_default();
    let state = run["properties"]["runResult"]["properties"]["status"].as_str();
    state.unwrap_or(if provisioning == "Failed" { "Error" } else { "Queued" })
}

/// Whether a build goes on.
#[must_use]
pub fn is_open(state: &str) -> bool {
    !matches!(state, "Succeeded" | "Failed" | "Error" | "Timeout" | "Canceled")
}
