//! Where the simulator differs from the recordings on purpose, each with its reason: `facts/differences.json`.
//! A line is for what the recordings cannot know (a newer api-version, what was not sent), never for what is not built.

use super::{Finding, What};
use serde::Deserialize;
use std::sync::LazyLock;

/// One difference on purpose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The operations: names, or ends of names after `*`.
    pub operations: Vec<String>,
    /// What may differ.
    pub what: What,
    /// Where: keys, headers, statuses or chains; `*` at the end stands for any rest.
    pub at: Vec<String>,
    /// Why.
    pub reason: String,
}

static ALL: LazyLock<Result<Vec<Difference>, serde_json::Error>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../facts/differences.json")));

/// All differences on purpose.
pub(super) fn all() -> &'static Result<Vec<Difference>, serde_json::Error> {
    &ALL
}

fn fits(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => pattern == text,
    }
}

impl Difference {
    /// Whether a finding is this difference.
    pub(super) fn explains(&self, finding: &Finding) -> bool {
        self.what == finding.what
            && self.operations.iter().any(|name| fits(name, &finding.operation))
            && self.at.iter().any(|place| fits(place, &finding.place))
    }
}
