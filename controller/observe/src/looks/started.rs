//! Operations that a write started, and how long each may go on. Data alone; `operations` asks Azure about them.

use azureml_client::Verb;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Longer than Azure lets an operation take (`x-ms-async-operation-timeout`: 30 minutes where it was recorded).
const LONGEST: Duration = Duration::from_hours(1);

/// How long a write waits if the operation may not be read, or if it is not known whether there is one: nearly three times the
/// longest recorded operation of a schedule (22 s).
pub(super) const BLIND: Duration = Duration::from_mins(1);

pub(super) const SCHEDULES: &str = "workspaces/schedules";

/// A schedule never shows by itself that it is being changed. Recorded operations took up to 22 s.
const LONGEST_OF_SCHEDULES: Duration = Duration::from_mins(2);

/// The operations that were not seen to end.
#[derive(Default)]
pub(super) struct Operations(pub(super) Mutex<HashMap<String, Started>>);

/// An operation, and the write that started it.
#[derive(Clone)]
pub(super) struct Started {
    pub at: Instant,
    pub verb: Verb,
    /// Its address; none if the answer was lost, or said `Creating` and named no operation.
    pub address: Option<Arc<str>>,
    /// Whether the resource shows by itself that the operation goes on, and that it failed.
    pub is_shown: bool,
    /// Whether the resource was not there before, so that it is the write's if it is there.
    pub is_new: bool,
}

impl Started {
    /// Whether a write has to wait for it.
    pub fn may_go_on(&self) -> bool {
        self.lasts(if self.is_shown { LONGEST } else { LONGEST_OF_SCHEDULES })
    }

    /// Whether something that it makes may appear yet.
    pub fn may_make(&self) -> bool {
        self.verb != Verb::Delete && self.lasts(LONGEST)
    }

    fn lasts(&self, longest: Duration) -> bool {
        self.at.elapsed() < if self.address.is_some() { longest } else { BLIND }
    }
}
