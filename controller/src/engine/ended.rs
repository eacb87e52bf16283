//! How a pass ended, for the queue, the metrics and the trace. Plain data.

use crate::outcome::Outcome;
use azureml_plan::action::State;
use azureml_plan::reasons::Word;
use std::time::Duration;

/// How a pass ended.
pub struct Ended {
    /// When the next pass is due: after a delay, or when something changes.
    pub due: Option<Duration>,
    /// For the metrics.
    pub outcome: Outcome,
    /// The reason that `status` gives, for the trace.
    pub reason: Option<Word>,
}

impl Ended {
    /// The object is gone.
    pub(super) const GONE: Self = Self { due: None, outcome: Outcome::Gone, reason: None };

    pub(super) fn after(due: Option<Duration>, state: State) -> Self {
        let outcome = match state {
            State::Ready => Outcome::Ready,
            State::Working => Outcome::Working,
            State::Stalled => Outcome::Stalled,
        };
        Self { due, outcome, reason: None }
    }

    pub(super) fn because(self, reason: Word) -> Self {
        Self { reason: Some(reason), ..self }
    }
}
