//! What is named by the hash of its content never changes: it is read once, and remembered.
//!
//! In: ids of versions. Out: whether they are there. Never writes.

use super::{Collection, KEPT, Look, Looks, locked};
use crate::kept::Kept;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use azureml_plan::pipeline::Presence;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How long it is remembered that something is there which nobody asks for: longer than most wait between comparisons.
const UNUSED: Duration = Duration::from_hours(24);

/// What is known of it.
pub(super) struct Hashed {
    present: Mutex<Kept<String, ()>>,
    absent: Mutex<HashMap<String, Instant>>,
}

impl Default for Hashed {
    fn default() -> Self {
        let present = Mutex::new(Kept::new(UNUSED));
        Self { present, absent: Mutex::default() }
    }
}

impl Looks {
    /// Whether something that is named by its hash is there. What was seen once stays seen while it is asked for; what was not is made by us or
    /// by nobody, so that its absence holds for a while.
    ///
    /// # Errors
    /// When Azure refuses or does not answer.
    pub async fn presence(&self, client: &Client, id: &ArmId) -> Result<Presence, Error> {
        if self.has_seen(id) {
            return Ok(Presence::Here);
        }
        if self.is_absent(id) {
            return Ok(Presence::Absent);
        }
        match client.get(id, Urgency::Change).await? {
            None => {
                self.note_absence(id);
                Ok(Presence::Absent)
            }
            Some(body) if body["properties"]["isArchived"] == true => Ok(Presence::Archived(body)),
            Some(_) => {
                self.note(id);
                Ok(Presence::Here)
            }
        }
    }

    /// As [`Looks::presence`], for what was probably never there: where not even the container is, no version is. Many
    /// that look at once share one list of containers.
    ///
    /// # Errors
    /// When Azure refuses or does not answer.
    pub async fn presence_of_new(
        &self,
        client: &Arc<Client>,
        of: Collection<'_>,
        id: &ArmId,
        look: Look,
    ) -> Result<Presence, Error> {
        let is_known = self.has_seen(id) || self.is_absent(id);
        if let Some(container) = id.parent()
            && !is_known
            && self.resource(client, of, container.name(), look).await?.is_none()
        {
            self.note_absence(&container);
            self.note_absence(id);
        }
        self.presence(client, id).await
    }

    /// Whether something that is named by its hash was seen.
    #[must_use]
    pub fn has_seen(&self, id: &ArmId) -> bool {
        locked(&self.hashed.present).has(&id.key())
    }

    /// Whether something that only we make was just seen not to be there.
    #[must_use]
    pub fn is_absent(&self, id: &ArmId) -> bool {
        locked(&self.hashed.absent).get(&id.key()).is_some_and(|since| since.elapsed() < KEPT)
    }

    /// Something that only we make is not there, since what it belongs to is not.
    pub fn presume_absent(&self, id: &ArmId) {
        if !self.has_seen(id) {
            self.note_absence(id);
        }
    }

    fn note_absence(&self, id: &ArmId) {
        let mut absent = locked(&self.hashed.absent);
        absent.retain(|_, since| since.elapsed() < KEPT);
        absent.insert(id.key(), Instant::now());
    }

    /// Something that is named by its hash was seen, or made.
    pub fn note(&self, id: &ArmId) {
        if id.kind().ends_with("/versions") {
            locked(&self.hashed.present).get_or_insert_with(id.key(), || ());
        }
    }

    /// The versions that were seen or made of a container, or of those whose names go on after an underscore. A list that
    /// lags does not show what was just made.
    #[must_use]
    pub fn noted(&self, container: &ArmId) -> Vec<ArmId> {
        let key = container.key();
        let present = locked(&self.hashed.present);
        let is_of = |id: &&String| {
            id.strip_prefix(&key).is_some_and(|rest| rest.starts_with("/versions/") || rest.starts_with('_'))
        };
        present.keys().filter(is_of).filter_map(|id| ArmId::parse(id).ok()).collect()
    }

    /// Something is about to be written: what was known of it says nothing any more.
    pub fn doubt(&self, id: &ArmId) {
        locked(&self.hashed.absent).remove(&id.key());
        locked(&self.hashed.present).remove(&id.key());
    }

    /// A workspace is gone: what was seen below it says nothing any more, should it be made again.
    pub fn forget_below(&self, workspace: &ArmId) {
        let below = format!("{}/", workspace.key());
        locked(&self.hashed.present).retain(|id| !id.starts_with(&below));
    }
}
