//! What a pass says of its object.

use azureml_plan::action::State;
use azureml_plan::reasons::{Reason, Word};

/// What a pass says of its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What kind of answer.
    pub state: State,
    /// A reason, or Azure's own code.
    pub reason: Word,
    /// For people.
    pub message: String,
    /// Whether the object could be compared with Azure at all.
    pub is_compared: bool,
    /// How many changes a paused object holds back.
    pub held: usize,
}

impl Told {
    /// Something that is wrong with an object before Azure is asked.
    #[must_use]
    pub fn refused(reason: Reason, message: String) -> Self {
        Self { state: State::Stalled, reason: reason.into(), message, is_compared: false, held: 0 }
    }

    /// An object that is being deleted.
    #[must_use]
    pub fn leaving() -> Self {
        let message = "it is being deleted, and a plan shows no deletions; deletionPolicy says what becomes of what is in Azure";
        Self::refused(Reason::DELETING, message.to_owned())
    }

    /// Whether it is worth a line where nothing is sent: something goes on, or is held back.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.state != State::Ready || self.held > 0
    }
}
