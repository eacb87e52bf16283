//! Sources that are asked again and again: a server is asked once for all that name it, and files are fetched once for each revision.
//!
//! In: where files are, how old an answer may be. Out: revision and hash; the bytes when they are uploaded. Decides nothing of the files.

use crate::error::Error;
use crate::failures::{FAILED, Failures};
use crate::kept::Kept;
use crate::login::Login;
use crate::net::Net;
use crate::store::Store;
use crate::wanted::{Found, Means, Wanted};
use azureml_client::kept::Kept as Recent;
use azureml_plan::source::{Held, Paths, Purpose};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long it is remembered what a source held. A source is asked at least once a day.
const UNUSED: Duration = Duration::from_hours(25);

/// The most that is remembered of servers.
const MOST: usize = 10_000;

/// The most folders that are remembered of one namespace, each with 4 bytes for a file: no namespace makes others' be fetched again.
const MOST_OF_ONE: usize = 500;

/// Files, and the way to them.
#[derive(Clone, Debug)]
pub struct Place {
    /// The files.
    pub wanted: Wanted,
    /// How to sign in.
    pub login: Login,
    /// The way to the server.
    pub net: Net,
    /// What the files are for.
    pub purpose: Purpose,
}

impl Place {
    /// Tells a place from others, and from the same one as somebody else sees it.
    fn key(&self) -> String {
        // One way may reach what the other may not.
        format!("{:?} {} {}", self.wanted.origin, self.net.allows_private(), self.login.key())
    }
}

impl Place {
    /// Tells its files from those of other folders, and for other purposes.
    fn content_key(&self) -> String {
        let Wanted { path, ignore, origin: _ } = &self.wanted;
        format!("{} {path} {ignore:?} {:?}", self.key(), self.purpose)
    }
}

/// What a place held, and when that was asked.
struct Look {
    held: Result<String, (String, bool)>,
    at: Instant,
}

impl Look {
    fn is_good(&self, since: Instant) -> bool {
        let is_failed = self.held.is_err() && self.at.elapsed() < FAILED;
        is_failed || self.held.is_ok() && self.at >= since
    }
}

/// The content of a folder, and what it held.
struct Content {
    /// By this a fetch knows it again.
    content: String,
    held: Held,
}

/// One of many; its lock is held while it is asked for, so that the others wait for the answer.
type Slot<T> = Arc<Mutex<Option<T>>>;
type Slots<T> = Recent<String, Slot<T>>;

/// What a source holds, and when it was last asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// What the source holds.
    pub held: Held,
    /// When the server was asked.
    pub asked: Instant,
}

/// Fetches files, and remembers what it found.
pub struct Fetcher {
    store: Store,
    looks: std::sync::Mutex<Slots<Look>>,
    contents: std::sync::Mutex<Recent<String, Slots<Content>>>,
    failures: Failures,
}

/// Paths and bytes.
pub type Entries = Vec<(String, Vec<u8>)>;

impl Fetcher {
    /// Keeps files in a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let looks = std::sync::Mutex::new(Recent::new(UNUSED).at_most(MOST));
        let contents = std::sync::Mutex::new(Recent::new(UNUSED).at_most(MOST));
        Self { store, looks, contents, failures: Failures::new() }
    }

    /// What a place holds. An answer of its server that is older than `since` is asked for again.
    ///
    /// # Errors
    /// When the server does not answer, or what it holds is refused.
    pub async fn fetch(&self, namespace: &str, place: &Place, since: Instant) -> Result<Fetched, Error> {
        let (revision, asked) = self.revision(place, since).await?;
        let purpose = &place.purpose;
        let slot = self.content(namespace, place.content_key());
        let mut known = slot.lock().await;
        if let Some(content) = known.as_ref().filter(|content| content.held.revision == revision) {
            return Ok(Fetched { held: content.held.clone(), asked });
        }
        if let Some(error) = self.failures.again(&place.content_key(), &revision, since) {
            return Err(error);
        }
        let before = known.as_ref().map(|content| content.content.as_str());
        let store = self.store.meant_for(purpose);
        let found = place.wanted.fetch(&revision, before, means(place, &store)).await;
        let found = self.or_forget(place, &revision, found).await?;
        let held = match (&found.files, known.as_ref()) {
            (Some(files), _) => held(files, purpose, revision)?,
            // The content is the one that is known.
            (None, Some(content)) => Held { revision, ..content.held.clone() },
            (None, None) => return Err(Error::Unreadable("its files did not come".to_owned())),
        };
        *known = Some(Content { content: found.content, held: held.clone() });
        Ok(Fetched { held, asked })
    }

    /// The bytes of a place: those that are kept, or fetched again.
    ///
    /// # Errors
    /// When the revision is not there any more, or the server does not answer.
    pub async fn bytes(&self, place: &Place, held: &Held) -> Result<Arc<Kept>, Error> {
        if let Some(kept) = self.kept(&held.hash) {
            return Ok(kept);
        }
        let store = self.store.meant_for(&place.purpose);
        let found = place.wanted.fetch(&held.revision, None, means(place, &store)).await;
        let files = self.or_forget(place, &held.revision, found).await?.files;
        let files = files.filter(|files| files.hash_for(&place.purpose) == held.hash);
        files.ok_or_else(|| Error::Unreadable("the files are others than before".to_owned()))
    }

    /// What entries hold that others have read.
    ///
    /// # Errors
    /// When an entry is refused, or the disk fails.
    pub async fn entries(
        &self,
        (namespace, key, revision): (&str, String, String),
        purpose: &Purpose,
        entries: Entries,
    ) -> Result<Held, Error> {
        let slot = self.content(namespace, format!("{key} {purpose:?}"));
        let mut known = slot.lock().await;
        if let Some(content) = known.as_ref().filter(|content| content.held.revision == revision) {
            return Ok(content.held.clone());
        }
        let held = held(self.keep(purpose, entries).await?.as_ref(), purpose, revision)?;
        *known = Some(Content { content: String::new(), held: held.clone() });
        Ok(held)
    }

    /// What entries of this revision were found to hold, where that is remembered.
    pub async fn known(&self, namespace: &str, key: &str, revision: &str, purpose: &Purpose) -> Option<Held> {
        let slot = self.content(namespace, format!("{key} {purpose:?}"));
        let known = slot.lock().await;
        known.as_ref().map(|content| &content.held).filter(|held| held.revision == revision).cloned()
    }

    /// The files that entries are, on disk.
    ///
    /// # Errors
    /// When one is refused, or the disk fails.
    pub async fn keep(&self, purpose: &Purpose, entries: Entries) -> Result<Arc<Kept>, Error> {
        let mut draft = self.store.meant_for(purpose).draft()?;
        let kept = tokio::task::spawn_blocking(move || {
            entries.iter().try_for_each(|(path, bytes)| draft.file(path, false, bytes.as_slice()))?;
            draft.finish()
        });
        Ok(self.store.keep(kept.await.map_err(std::io::Error::other)??))
    }

    /// The files with this hash, where they are kept.
    #[must_use]
    pub fn kept(&self, hash: &str) -> Option<Arc<Kept>> {
        self.store.get(hash).or_else(|| self.store.get_by_asset_hash(hash))
    }

    fn content(&self, namespace: &str, key: String) -> Slot<Content> {
        let mut all = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Recent::new(UNUSED).at_most(MOST_OF_ONE);
        let of_one = all.get_or_insert_mut(namespace, make);
        of_one.get_or_insert_with(key, Slot::default).clone()
    }

    fn look(&self, key: String) -> Slot<Look> {
        let mut all = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_or_insert_with(key, Slot::default).clone()
    }

    /// What came of a fetch; a failure is kept. A revision that is not there any more is not believed for longer: the next pass looks
    /// anew.
    async fn or_forget(
        &self,
        place: &Place,
        revision: &str,
        found: Result<Found, Error>,
    ) -> Result<Found, Error> {
        if let Err(error) = &found {
            self.failures.keep(place.content_key(), revision, error);
        }
        if matches!(found, Err(Error::Said(_) | Error::Missing(_))) {
            *self.look(place.key()).lock().await = None;
        }
        found
    }

    /// What a place is known to hold by an answer that is not older than `since`. Waits for nobody.
    #[must_use]
    pub fn recent(&self, namespace: &str, place: &Place, since: Instant) -> Option<Fetched> {
        let (slot, key) = (self.look(place.key()), place.content_key());
        let look = slot.try_lock().ok()?;
        let look = look.as_ref().filter(|look| look.is_good(since))?;
        let revision = look.held.as_ref().ok()?;
        let content = self.content(namespace, key);
        let content = content.try_lock().ok()?;
        let held = content.as_ref().map(|content| &content.held).filter(|held| held.revision == *revision)?;
        Some(Fetched { held: held.clone(), asked: look.at })
    }

    /// What a place holds now, and when that was asked.
    async fn revision(&self, place: &Place, since: Instant) -> Result<(String, Instant), Error> {
        let slot = self.look(place.key());
        let mut last = slot.lock().await;
        if let Some(look) = last.as_ref().filter(|look| look.is_good(since)) {
            let again = |(words, is_lasting)| Error::Again { words, is_lasting };
            return look.held.clone().map(|revision| (revision, look.at)).map_err(again);
        }
        let held = place.wanted.origin.revision(&place.login, &place.net).await;
        let told = held.as_ref().map(Clone::clone);
        let told = told.map_err(|error| (error.to_string(), error.is_lasting()));
        let at = Instant::now();
        *last = Some(Look { held: told, at });
        held.map(|revision| (revision, at))
    }
}

fn means<'a>(place: &'a Place, store: &'a Store) -> Means<'a> {
    Means { login: &place.login, net: &place.net, store }
}

fn held(files: &Kept, purpose: &Purpose, revision: String) -> Result<Held, Error> {
    let paths = Paths::of(files.tree.0.keys().map(String::as_str));
    let context = files.context(purpose)?.map(Arc::new);
    Ok(Held { revision, hash: files.hash_for(purpose).to_owned(), paths, context })
}
