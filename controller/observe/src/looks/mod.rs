//! Reading Azure so that many objects share one request: lists first, single reads for what just changed, immutable things once.
//!
//! In: an id and how fresh the look must be. Out: what Azure has. Never writes; a look that failed is an error, never an absence.

mod hashed;
mod jobs;
mod known;
mod look;
mod made;
mod operations;
mod slot;
mod started;
mod unread;

use self::known::Hashed;
use self::look::locked;
pub use self::look::{Collection, KEPT, Look};
pub use self::made::WorkspaceJobs;
pub use self::slot::Listing;
use self::slot::{Slot, drop_later, take_single};
use self::started::Operations;
use azureml_client::budget::Urgency;
use azureml_client::client::{Asked, Client};
use azureml_client::kept::Kept;
use azureml_client::turns::PAYER;
use azureml_client::{ArmId, Error};
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

/// What identifies a list: the identity that asks, and what it asks for.
type Key = (u64, String);

/// How long the place of a list is kept that nobody uses; longer than a list itself, so that it is empty then.
const UNUSED: Duration = Duration::from_hours(1);

/// What was read.
pub struct Looks {
    spacing: Duration,
    slots: Mutex<Kept<Key, Arc<Slot>>>,
    turns: Mutex<Kept<String, Arc<tokio::sync::Mutex<()>>>>,
    hashed: Hashed,
    operations: Operations,
    jobs: made::Lists,
    unread: unread::Unread,
}

/// How long a list of jobs serves.
const JOBS_SERVE: Duration = Duration::from_secs(10);

/// How long a turn is waited for.
const LONGEST_TURN: Duration = Duration::from_secs(5);
/// The most turns that are remembered.
const MOST_TURNS: usize = 10_000;

impl Looks {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(spacing: Duration) -> Self {
        Self {
            spacing,
            slots: Mutex::new(Kept::new(UNUSED)),
            turns: Mutex::new(Kept::new(UNUSED).at_most(MOST_TURNS)),
            hashed: Hashed::default(),
            operations: Operations::default(),
            jobs: made::Lists::new(UNUSED, JOBS_SERVE),
            unread: unread::Unread::default(),
        }
    }

    /// The same, with lists of jobs that serve for so long.
    #[must_use]
    pub fn sharing_jobs_for(mut self, time: Duration) -> Self {
        self.jobs = made::Lists::new(UNUSED, time);
        self
    }

    /// Why the steps of a job could not be read, while it is too early to try again.
    #[must_use]
    pub fn unread(&self, job: &ArmId) -> Option<String> {
        self.unread.cause(job)
    }

    /// The steps of a job could not be read.
    pub fn note_unread(&self, job: &ArmId, cause: &str) {
        self.unread.note(job, cause);
    }

    /// Waits, for a few seconds, while another pass makes the same thing. A slow pass holds up no other for longer.
    pub async fn turn(&self, id: &ArmId) -> Option<OwnedMutexGuard<()>> {
        let turn = locked(&self.turns).get_or_insert_with(id.key(), Arc::default).clone();
        tokio::time::timeout(LONGEST_TURN, turn.lock_owned()).await.ok()
    }

    /// A resource that can change: as it was seen where that is fresh enough, by a single read, or from a new list where
    /// many look at once.
    ///
    /// # Errors
    /// When Azure refuses or does not answer.
    pub async fn resource(
        &self,
        client: &Arc<Client>,
        of: Collection<'_>,
        name: &str,
        look: Look,
    ) -> Result<Option<Value>, Error> {
        let slot = self.slot(client, of);
        let id = of.parent.child(of.name, name);
        if let Some(known) = slot.known(name, look.since) {
            let known = Some(known).filter(|body| !body.is_null());
            self.note_absent(&id, known.as_ref());
            return Ok(known);
        }
        if !look.is_shared && take_single(&slot, look) {
            let began = Instant::now();
            let body = client.get(&id, look.urgency()).await?;
            slot.remember(name, began, body.as_ref());
            self.note_read(&id, began, body.as_ref());
            return Ok(body);
        }
        let listing = match self.listing_of(&slot, client, of, look).await {
            // A list that others made too long, or put something odd into, hides nothing of what has a name.
            Err(Error::Unreadable { .. }) => return self.fresh(client, &id).await,
            listing => listing?,
        };
        let body = listing.get(name)?;
        self.note_read(&id, listing.began, body.as_ref());
        Ok(body)
    }

    /// A resource as it is now: before a deletion nothing is taken from a list or a cache.
    ///
    /// # Errors
    /// When Azure refuses or does not answer.
    pub async fn fresh(&self, client: &Client, id: &ArmId) -> Result<Option<Value>, Error> {
        let began = Instant::now();
        let body = client.get(id, Urgency::Change).await?;
        self.note_read(id, began, body.as_ref());
        Ok(body)
    }

    /// All resources of a collection.
    ///
    /// # Errors
    /// When Azure refuses or does not answer.
    pub async fn listing(
        &self,
        client: &Arc<Client>,
        of: Collection<'_>,
        look: Look,
    ) -> Result<Arc<Listing>, Error> {
        self.listing_of(&self.slot(client, of), client, of, look).await
    }

    /// One list at a time. A pass that waited for it gets it too, or its error.
    async fn listing_of(
        &self,
        slot: &Arc<Slot>,
        client: &Arc<Client>,
        of: Collection<'_>,
        look: Look,
    ) -> Result<Arc<Listing>, Error> {
        let waits = Instant::now();
        let mut latest = slot.listing.lock().await;
        if let Some(listing) = latest.as_ref().filter(|listing| listing.began >= look.since) {
            return Ok(listing.clone());
        }
        if let Some(listing) = latest.as_ref() {
            sleep_until(listing.began + self.spacing).await;
        }
        if let Some(error) = slot.failure_since(waits) {
            return Err(error);
        }
        // What is too old gives its room back before another is waited for.
        *latest = None;
        let began = Instant::now();
        let asked =
            Asked { parent: of.parent, collection: of.name, query: of.query, urgency: look.urgency() };
        // It is for all, and takes a turn of its own.
        let turn = Arc::from(format!("{}/{}", of.parent.key(), of.name));
        let listed = PAYER.scope(turn, client.pages(asked, usize::MAX, |_| true)).await;
        let listed = listed.inspect_err(|error| slot.note_failure(error))?;
        slot.pages.store(listed.pages, Ordering::Relaxed);
        let listing = Listing::new(began, listed).inspect_err(|error| slot.note_failure(error))?;
        let listing = Arc::new(listing);
        *latest = Some(listing.clone());
        tokio::spawn(drop_later(slot.clone(), began));
        Ok(listing)
    }

    fn slot(&self, client: &Arc<Client>, of: Collection<'_>) -> Arc<Slot> {
        let key = (client.number, format!("{}/{}", of.parent.key(), of.name));
        locked(&self.slots).get_or_insert_with(key, Arc::default).clone()
    }
}
