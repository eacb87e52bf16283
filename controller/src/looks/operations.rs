//! What Azure accepted and has not carried out yet: while an operation goes on, nothing more is written to its resource.
//!
//! A resource may be absent, or show what it was before, until the operation ends; who wrote once more would make it anew.
//! In: answers to writes. Out: whether one is under way, or its error. Never writes; a process that starts knows of none.

use super::{Looks, locked};
use azureml_client::client::Client;
use azureml_client::operation::Progress;
use azureml_client::send::{Answer, Verb};
use azureml_client::{ArmId, Class, Error};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Longer than Azure lets an operation take (`x-ms-async-operation-timeout`: 30 minutes where it was recorded).
const LONGEST: Duration = Duration::from_hours(1);

/// How long nothing more is written where the operation may not be read.
const BLIND: Duration = Duration::from_mins(1);

const SCHEDULES: &str = "workspaces/schedules";

/// A schedule never shows by itself that it is being changed. Recorded operations took up to 22 s.
const LONGEST_OF_SCHEDULES: Duration = Duration::from_mins(2);

/// The operations that were not seen to end.
#[derive(Default)]
pub(super) struct Operations(Mutex<HashMap<String, Started>>);

/// An operation, and the write that started it.
#[derive(Clone)]
struct Started {
    at: Instant,
    verb: Verb,
    address: Arc<str>,
    /// Whether the resource shows by itself that the operation goes on, and that it failed.
    is_shown: bool,
}

impl Started {
    fn may_go_on(&self) -> bool {
        self.at.elapsed() < if self.is_shown { LONGEST } else { LONGEST_OF_SCHEDULES }
    }
}

impl Looks {
    /// A write was accepted; its answer names the operation, where there is one. Task runs of registries show their own.
    pub fn note_write(&self, verb: Verb, id: &ArmId, answer: Option<&Answer>) {
        if !id.kind().starts_with("workspaces/") {
            return;
        }
        let mut all = locked(&self.operations.0);
        all.retain(|_, started| started.may_go_on());
        match answer.and_then(|answer| answer.operation.as_deref()) {
            Some(address) => {
                let (at, address) = (Instant::now(), address.into());
                all.insert(id.key(), Started { at, verb, address, is_shown: id.kind() != SCHEDULES })
            }
            None => all.remove(&id.key()),
        };
    }

    /// A resource was read: one that came to rest after our last write has no operation that goes on.
    pub(super) fn note_shown(&self, id: &ArmId, began: Instant, body: &Value) {
        let is_at_rest = body["properties"]["provisioningState"]
            .as_str()
            .is_some_and(|state| ["Succeeded", "Failed", "Canceled"].contains(&state));
        let mut all = locked(&self.operations.0);
        if is_at_rest && all.get(&id.key()).is_some_and(|started| started.is_shown && started.at <= began) {
            all.remove(&id.key());
        }
    }

    /// Whether the last write to a resource started an operation that was not seen to end.
    #[must_use]
    pub fn is_under_way(&self, id: &ArmId) -> bool {
        locked(&self.operations.0).get(&id.key()).is_some_and(Started::may_go_on)
    }

    /// Whether a resource may be written: not while an operation goes on, and not over what was read before it ended.
    ///
    /// # Errors
    /// What the operation failed with, once, where the resource does not show it; and when Azure does not answer.
    pub async fn may_write(&self, client: &Client, id: &ArmId) -> Result<bool, Error> {
        let started = locked(&self.operations.0).get(&id.key()).cloned();
        let Some(started) = started.filter(Started::may_go_on) else { return Ok(true) };
        let progress = match client.operation(&started.address, started.verb, id).await {
            // Whoever may not read operations waits as long as recorded ones took at most.
            Err(error) if error.class() == Class::Forbidden => return Ok(started.at.elapsed() >= BLIND),
            progress => progress?,
        };
        match progress {
            Progress::GoesOn => return Ok(false),
            Progress::Failed(error) if started.verb == Verb::Delete || !started.is_shown => {
                locked(&self.operations.0).remove(&id.key());
                return Err(error);
            }
            Progress::Ended | Progress::Failed(_) => {}
        }
        locked(&self.operations.0).remove(&id.key());
        Ok(false)
    }
}
