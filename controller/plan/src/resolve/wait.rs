//! Why an object has to wait for another.

use crate::action::{Next, Plan, Verdict};
use crate::reasons::Reason;

/// Something is missing that comes by itself or by somebody's hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Why.
    pub reason: Reason,
    /// What is missing, and the remedy.
    pub message: String,
    /// Whether only a change can help.
    pub is_stalled: bool,
    /// Whether no watch shows when it comes, so that it has to be looked for.
    pub is_unwatched: bool,
}

impl Wait {
    /// Something comes by itself.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), is_stalled: false, is_unwatched: false }
    }

    /// Only a change can help.
    #[must_use]
    pub fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), is_stalled: true, is_unwatched: false }
    }

    /// The same, of something that no watch shows.
    #[must_use]
    pub fn unwatched(self) -> Self {
        Self { is_unwatched: true, ..self }
    }

    /// Others keep an object that is being deleted; each as `MLPipeline/iris`.
    #[must_use]
    pub fn in_use(by: &[String]) -> Self {
        let by = by.join(", ");
        Self::new(
            Reason::IN_USE,
            format!(
                "still named by {by}; deletion continues once they are deleted, finished, or no longer reference it"
            ),
        )
    }

    /// What is said meanwhile.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let verdict = if self.is_stalled { Verdict::stalled } else { Verdict::working };
        Plan::say(verdict(self.reason, self.message.clone()), Next::Change)
    }

    /// An object that is named is not there.
    #[must_use]
    pub fn not_found(kind: &str, name: &str) -> Self {
        Self::new(Reason::REFERENCE_NOT_FOUND, format!("there is no {kind} {name} in this namespace yet"))
    }
}
