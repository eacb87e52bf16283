//! How a pass looks at Azure: how fresh, at what, and how long what it saw is kept.

use azureml_client::ArmId;
use azureml_client::limits::Urgency;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How a pass may look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// What was read before does not count.
    pub since: Instant,
    /// Whether many objects look now, so that a list is cheaper than a single read.
    pub is_shared: bool,
    /// How often something that goes on in Azure has been looked at already.
    pub attempt: u32,
    /// Whether somebody changed something that Azure holds already, and waits.
    pub is_change: bool,
}

impl Look {
    /// Changes go before comparisons.
    #[must_use]
    pub fn urgency(self) -> Urgency {
        if self.is_shared { Urgency::Drift } else { Urgency::Change }
    }
}

/// How long what was read is kept for those who come later, and the absence of what is named by its hash taken for granted.
pub const KEPT: Duration = Duration::from_secs(30);

/// A collection of resources of one type.
#[derive(Clone, Copy, Debug)]
pub struct Collection<'a> {
    /// The resource that they belong to.
    pub parent: &'a ArmId,
    /// Their type, such as `computes`.
    pub name: &'a str,
    /// What the list is asked with.
    pub query: &'a [(&'a str, &'a str)],
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
