//! What is named by the hash of its content never changes: it is read once, and remembered.
//!
//! In: ids of versions. Out: whether they are there. Never writes.

use super::Looks;
use super::look::{Collection, KEPT, Look, locked};
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use azureml_plan::owner::{Belongs, Other, Owner};
use azureml_plan::pipeline::Presence;
use std::sync::Arc;
use tokio::time::Instant;

impl Looks {
    /// Whether a component that is named by its hash is there, and this owner's: presence alone says nothing, since others may register
    /// under any name. Presence is cached while in use, absence for 30 s: what an owner has under such a name, only we create.
    ///
    /// # Errors
    /// When Azure refuses or does not answer.
    pub async fn presence(&self, client: &Client, id: &ArmId, owner: &Owner) -> Result<Presence, Error> {
        if self.has_seen(id, Some(owner)) {
            return Ok(Presence::Here);
        }
        if self.is_absent(id) {
            return Ok(Presence::Absent);
        }
        let Some(body) = client.get(id, Urgency::Change).await? else {
            self.note_absence(id);
            return Ok(Presence::Absent);
        };
        match owner.of(&body["properties"]["tags"]) {
            Belongs::Us => {}
            Belongs::Inherited => return Ok(Presence::Archived(body)),
            Belongs::Nobody => return Ok(Presence::Another(Other::unknown("nobody, by its tags"))),
            Belongs::Another(other) => return Ok(Presence::Another(other)),
        }
        if body["properties"]["isArchived"] == true {
            return Ok(Presence::Archived(body));
        }
        self.note(id, Some(owner.value()));
        Ok(Presence::Here)
    }

    /// As [`Looks::presence`], for what was probably never there: where not even the container is, no version is. Only we
    /// make containers, so that one list of them serves all that are new for a while.
    ///
    /// # Errors
    /// When Azure refuses or does not answer.
    pub async fn presence_of_new(
        &self,
        client: &Arc<Client>,
        of: Collection<'_>,
        (id, owner): (&ArmId, &Owner),
        look: Look,
    ) -> Result<Presence, Error> {
        let is_known = self.has_seen(id, Some(owner)) || self.is_absent(id);
        let look = Look { since: Instant::now().checked_sub(KEPT).unwrap_or(look.since), ..look };
        if let Some(container) = id.parent()
            && !is_known
            && self.resource(client, of, container.name(), look).await?.is_none()
        {
            self.note_absence(&container);
            self.note_absence(id);
        }
        self.presence(client, id, owner).await
    }

    /// Whether something that is named by its hash was seen, as this owner's where it has one.
    #[must_use]
    pub fn has_seen(&self, id: &ArmId, owner: Option<&Owner>) -> bool {
        let mut present = locked(&self.hashed.present);
        present.get(&id.key()).is_some_and(|found| *found == owner.map(Owner::value))
    }

    /// Whether a version, or a schedule, was just seen not to be there.
    #[must_use]
    pub fn is_absent(&self, id: &ArmId) -> bool {
        locked(&self.hashed.absent).get(&id.key()).is_some_and(|since| since.elapsed() < KEPT)
    }

    /// Something that only we make is not there, since what it belongs to is not.
    pub fn presume_absent(&self, id: &ArmId) {
        if !locked(&self.hashed.present).has(&id.key()) {
            self.note_absence(id);
        }
    }

    pub(super) fn note_absence(&self, id: &ArmId) {
        let mut absent = locked(&self.hashed.absent);
        absent.retain(|_, since| since.elapsed() < KEPT);
        absent.insert(id.key(), Instant::now());
    }

    /// Something that is named by its hash was seen, or made, with this owner.
    pub fn note(&self, id: &ArmId, owner: Option<String>) {
        if id.kind().ends_with("/versions") {
            locked(&self.hashed.present).insert(id.key(), owner);
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
