//! Reading Azure so that many objects share one request: lists first, single reads for what just changed, immutable things once.
//!
//! In: an id and how fresh the look must be. Out: what Azure has. Never writes; a look that failed is an error, never an absence.

mod hashed;
mod operations;
mod slot;

use self::hashed::Hashed;
use self::operations::Operations;
pub use self::slot::Listing;
use self::slot::{Slot, drop_later, take_single};
use crate::kept::Kept;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

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

/// What identifies a list: who asks, and for what.
type Key = (usize, String);

/// How long what was read is kept for those who come later, and the absence of what is named by its hash taken for granted.
pub const KEPT: Duration = Duration::from_secs(30);

/// How long the place of a list is kept that nobody uses; longer than a list itself, so that it is empty then.
const UNUSED: Duration = Duration::from_hours(1);

/// What was read.
pub struct Looks {
    spacing: Duration,
    slots: Mutex<Kept<Key, Arc<Slot>>>,
    hashed: Hashed,
    operations: Operations,
}

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

impl Looks {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(spacing: Duration) -> Self {
        Self {
            spacing,
            slots: Mutex::new(Kept::new(UNUSED)),
            hashed: Hashed::default(),
            operations: Operations::default(),
        }
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
        if let Some(known) = slot.known(name, look.since) {
            return Ok(Some(known).filter(|body| !body.is_null()));
        }
        if !look.is_shared && take_single(&slot, look) {
            let (began, id) = (Instant::now(), of.parent.child(of.name, name));
            let body = client.get(&id, look.urgency()).await?;
            slot.remember(name, began, body.as_ref());
            return Ok(body.inspect(|body| self.note_shown(&id, began, body)));
        }
        let listing = self.listing_of(&slot, client, of, look).await?;
        let shown = |body: &Value| self.note_shown(&of.parent.child(of.name, name), listing.began, body);
        Ok(listing.get(name).inspect(shown))
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

    /// One list at a time; whoever waited while it began gets it too.
    async fn listing_of(
        &self,
        slot: &Arc<Slot>,
        client: &Arc<Client>,
        of: Collection<'_>,
        look: Look,
    ) -> Result<Arc<Listing>, Error> {
        let mut latest = slot.listing.lock().await;
        if let Some(listing) = latest.as_ref().filter(|listing| listing.began >= look.since) {
            return Ok(listing.clone());
        }
        if let Some(listing) = latest.as_ref() {
            sleep_until(listing.began + self.spacing).await;
        }
        let began = Instant::now();
        let items = client.list(of.parent, of.name, of.query, look.urgency()).await?;
        let listing = Arc::new(Listing::new(began, items));
        *latest = Some(listing.clone());
        tokio::spawn(drop_later(slot.clone(), began));
        Ok(listing)
    }

    fn slot(&self, client: &Arc<Client>, of: Collection<'_>) -> Arc<Slot> {
        let key = (Arc::as_ptr(client) as usize, format!("{}/{}", of.parent.key(), of.name));
        locked(&self.slots).get_or_insert_with(key, Arc::default).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
