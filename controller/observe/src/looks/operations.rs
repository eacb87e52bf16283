//! Operations that Azure accepted and has not carried out yet. Until one ends, its resource may be absent or show its old state,
//! so nothing more is written to it.
//!
//! In: answers to writes. Out: whether an operation goes on, or its error. Only reads; a new process knows no operation.

use super::Looks;
use super::look::locked;
use super::started::{BLIND, SCHEDULES, Started};
use azureml_client::client::Client;
use azureml_client::operation::Progress;
use azureml_client::send::{Answer, Verb};
use azureml_client::{ArmId, Class, Error};
use serde_json::Value;
use std::sync::Arc;
use tokio::time::Instant;

impl Looks {
    /// Remembers the operation that a write started. A write whose answer was lost may have started one too. Task runs of
    /// registries show their own state and are left out.
    pub fn note_write(&self, verb: Verb, id: &ArmId, is_new: bool, answer: Result<Option<&Answer>, &Error>) {
        let address = match answer {
            _ if !id.kind().starts_with("workspaces/") => return,
            Ok(Some(answer)) if answer.operation.is_some() => answer.operation.as_deref().map(Arc::from),
            Ok(Some(answer)) if !is_at_rest(&answer.body) && verb != Verb::Delete => None,
            Ok(_) => {
                locked(&self.operations.0).remove(&id.key());
                return;
            }
            Err(error) if error.may_have_had_its_effect() => None,
            Err(_) => return,
        };
        let mut all = locked(&self.operations.0);
        all.retain(|_, started| started.may_go_on() || started.may_make());
        let started = Started { at: Instant::now(), verb, address, is_shown: id.kind() != SCHEDULES, is_new };
        all.insert(id.key(), started);
    }

    /// A resource was read: one that came to rest after our last write has no operation that goes on. One that was not there
    /// before was created, whatever became of the answer.
    pub(super) fn note_read(&self, id: &ArmId, began: Instant, body: Option<&Value>) {
        self.note_absent(id, body);
        let Some(body) = body else { return };
        let mut all = locked(&self.operations.0);
        let is_over = |started: &Started| {
            let tells = started.is_new || started.is_shown;
            started.at <= began && tells && (started.address.is_none() || is_at_rest(body))
        };
        if all.get(&id.key()).is_some_and(is_over) {
            all.remove(&id.key());
        }
    }

    /// Whether a schedule was there matters for the next write to it: its changes show as late as its creation.
    pub(super) fn note_absent(&self, id: &ArmId, body: Option<&Value>) {
        match body {
            _ if id.kind() != SCHEDULES => {}
            None => self.note_absence(id),
            Some(_) => self.doubt(id),
        }
    }

    /// Whether the last write to a resource started an operation that was not seen to end.
    #[must_use]
    pub fn is_under_way(&self, id: &ArmId) -> bool {
        locked(&self.operations.0).get(&id.key()).is_some_and(Started::may_go_on)
    }

    /// Whether the last write to a resource makes or changes it, and was not seen to end.
    #[must_use]
    pub fn is_being_made(&self, id: &ArmId) -> bool {
        locked(&self.operations.0).get(&id.key()).is_some_and(Started::may_make)
    }

    /// Whether a creation is over: the resource is there, or will not be.
    ///
    /// # Errors
    /// As [`Looks::may_write`].
    pub async fn has_come(&self, client: &Client, id: &ArmId) -> Result<bool, Error> {
        let started = locked(&self.operations.0).get(&id.key()).cloned();
        match started.filter(Started::may_make) {
            Some(started) if started.address.is_some() => self.ended(client, id, started).await,
            Some(_) => Ok(false),
            None => Ok(true),
        }
    }

    /// Whether a resource may be written: not while an operation goes on, and not over what was read before it ended.
    ///
    /// # Errors
    /// What the operation failed with, once, where the resource does not show it; and when Azure does not answer.
    pub async fn may_write(&self, client: &Client, id: &ArmId) -> Result<bool, Error> {
        let started = locked(&self.operations.0).get(&id.key()).cloned();
        let Some(started) = started.filter(Started::may_go_on) else { return Ok(true) };
        if started.address.is_none() {
            // This pass has just read a resource that shows its own state.
            return Ok(started.is_shown);
        }
        self.ended(client, id, started).await
    }

    /// Asks an operation. True if it needs no more waiting; false while it goes on, and at the look that sees its end, since what
    /// was read before is out of date.
    async fn ended(&self, client: &Client, id: &ArmId, started: Started) -> Result<bool, Error> {
        let Some(address) = &started.address else { return Ok(true) };
        let progress = match client.operation(address, started.verb, id).await {
            // Without the permission to read operations, only time tells; and not why something new never came.
            Err(error) if error.class() == Class::Forbidden => {
                let is_late = started.at.elapsed() >= BLIND;
                if is_late && started.is_new && !started.is_shown {
                    locked(&self.operations.0).remove(&id.key());
                    return Err(error);
                }
                return Ok(is_late);
            }
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

/// Whether a body says that nothing goes on with it. What has no such state is what it is.
fn is_at_rest(body: &Value) -> bool {
    let state = body["properties"]["provisioningState"].as_str();
    state.is_none_or(|state| ["Succeeded", "Failed", "Canceled"].contains(&state))
}
