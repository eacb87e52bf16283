//! How a pass ended, in one word for the log, traces and metrics.

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};
use std::fmt::Write as _;

/// How a pass ended.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it should be.
    Ready,
    /// Work goes on.
    Working,
    /// Only a change can help.
    Stalled,
    /// The object is gone.
    Gone,
    /// Kubernetes refused.
    Refused,
    /// The pass panicked.
    Panicked,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Ready, Self::Working, Self::Stalled, Self::Gone, Self::Refused, Self::Panicked];

    /// Its word in labels, traces and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Working => "working",
            Self::Stalled => "stalled",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Panicked => "panicked",
        }
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        encoder.write_str(self.word())
    }
}
