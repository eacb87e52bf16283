//! Sources that are asked again and again: a server is asked once for all that name it, and files are fetched once for each revision.
//!
//! In: where files are, how old an answer may be. Out: revision and hash; the bytes when they are uploaded. Decides nothing of the files.

use crate::error::Error;
use crate::git::{Folder, Reference, Remote};
use crate::kept::Kept;
use crate::store::Store;
use azureml_client::kept::Kept as Recent;
use azureml_plan::source::{Held, Paths};
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

/// How long nobody asks again after a failure: what many objects name fails once.
const FAILED: Duration = Duration::from_secs(10);

/// A folder of a repository.
#[derive(Clone, Debug)]
pub struct Place {
    /// The repository.
    pub remote: Remote,
    /// What is named of it.
    pub reference: Reference,
    /// The folder; empty for the whole.
    pub path: String,
}

/// What a reference meant, and when that was asked.
struct Look {
    meant: Result<String, String>,
    at: Instant,
}

impl Look {
    fn is_good(&self, since: Instant) -> bool {
        let is_failed = self.meant.is_err() && self.at.elapsed() < FAILED;
        is_failed || self.meant.is_ok() && self.at >= since
    }
}

/// The tree of a folder, and what it held.
struct Tree {
    id: String,
    held: Held,
}

/// One of many; its lock is held while it is asked for, so that the others wait for the answer.
type Slot<T> = Arc<Mutex<Option<T>>>;

/// What was found, and when it was last asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the source holds.
    pub held: Held,
    /// When the server was asked; none where the answer is the same for ever.
    pub asked: Option<Instant>,
}

/// Fetches files, and remembers what it found.
pub struct Fetcher {
    store: Store,
    looks: std::sync::Mutex<Recent<String, Slot<Look>>>,
    trees: std::sync::Mutex<Recent<String, Recent<String, Slot<Tree>>>>,
}

impl Fetcher {
    /// Keeps files in a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let looks = std::sync::Mutex::new(Recent::new(UNUSED).at_most(MOST));
        let trees = std::sync::Mutex::new(Recent::new(UNUSED).at_most(MOST));
        Self { store, looks, trees }
    }

    /// What a folder of a repository holds. An answer of the server that is older than `since` is asked for again.
    ///
    /// # Errors
    /// When the server does not answer, or what it holds is refused.
    pub async fn folder(&self, namespace: &str, place: &Place, since: Instant) -> Result<Found, Error> {
        let Place { remote, reference, path } = place;
        let (commit, asked) = match reference {
            Reference::Commit(commit) => (commit.clone(), None),
            _ => {
                let (commit, asked) = self.commit(remote, reference, since).await?;
                (commit, Some(asked))
            }
        };
        let key = format!("{} {} {path}", remote.key(), reference.words());
        let slot = self.tree(namespace, key);
        let mut known = slot.lock().await;
        if let Some(tree) = known.as_ref().filter(|tree| tree.held.revision == commit) {
            return Ok(Found { held: tree.held.clone(), asked });
        }
        let folder = Folder { commit: commit.clone(), path: path.clone() };
        let before = known.as_ref().map(|tree| tree.id.as_str());
        let found = remote.fetch(&folder, before, &self.store).await?;
        let held = match (&found.files, known.as_ref()) {
            (Some(files), _) => held(files, commit),
            // The tree is the one that is known.
            (None, Some(tree)) => Held { revision: commit, ..tree.held.clone() },
            (None, None) => return Err(Error::Unreadable("its tree did not come".to_owned())),
        };
        *known = Some(Tree { id: found.tree, held: held.clone() });
        Ok(Found { held, asked })
    }

    /// The bytes of a folder: those that are kept, or fetched again.
    ///
    /// # Errors
    /// When the commit is not there any more, or the server does not answer.
    pub async fn bytes(&self, place: &Place, held: &Held) -> Result<Arc<Kept>, Error> {
        if let Some(kept) = self.store.get_by_asset_hash(&held.hash) {
            return Ok(kept);
        }
        let folder = Folder { commit: held.revision.clone(), path: place.path.clone() };
        let files = place.remote.fetch(&folder, None, &self.store).await?.files;
        let files = files.filter(|files| files.asset_hash == held.hash);
        files.ok_or_else(|| Error::Unreadable("the files are others than before".to_owned()))
    }

    /// What entries hold that others have read.
    ///
    /// # Errors
    /// When an entry is refused, or the disk fails.
    pub async fn entries(
        &self,
        (namespace, key, revision): (&str, String, String),
        entries: Entries,
    ) -> Result<Held, Error> {
        let slot = self.tree(namespace, key);
        let mut known = slot.lock().await;
        if let Some(tree) = known.as_ref().filter(|tree| tree.held.revision == revision) {
            return Ok(tree.held.clone());
        }
        let held = held(self.keep(entries).await?.as_ref(), revision);
        *known = Some(Tree { id: String::new(), held: held.clone() });
        Ok(held)
    }

    /// The files that entries are, on disk.
    ///
    /// # Errors
    /// When one is refused, or the disk fails.
    pub async fn keep(&self, entries: Entries) -> Result<Arc<Kept>, Error> {
        let mut draft = self.store.draft()?;
        let kept = tokio::task::spawn_blocking(move || {
            entries.iter().try_for_each(|(path, bytes)| draft.file(path, false, bytes.as_slice()))?;
            draft.finish()
        });
        Ok(self.store.keep(kept.await.map_err(std::io::Error::other)??))
    }

    /// The files with this hash, where they are kept.
    #[must_use]
    pub fn kept(&self, hash: &str) -> Option<Arc<Kept>> {
        self.store.get_by_asset_hash(hash)
    }

    fn tree(&self, namespace: &str, key: String) -> Slot<Tree> {
        let mut all = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Recent::new(UNUSED).at_most(MOST_OF_ONE);
        let of_one = all.get_or_insert_mut(namespace, make);
        of_one.get_or_insert_with(key, Slot::default).clone()
    }

    fn look(&self, key: String) -> Slot<Look> {
        let mut all = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_or_insert_with(key, Slot::default).clone()
    }

    /// The commit that a reference means, and when it meant that.
    async fn commit(
        &self,
        remote: &Remote,
        reference: &Reference,
        since: Instant,
    ) -> Result<(String, Instant), Error> {
        let key = format!("{} {}", remote.key(), reference.words());
        let slot = self.look(key);
        let mut last = slot.lock().await;
        if let Some(look) = last.as_ref().filter(|look| look.is_good(since)) {
            return look.meant.clone().map(|commit| (commit, look.at)).map_err(Error::Again);
        }
        let meant = remote.look(reference).await;
        let told = meant.as_ref().map(Clone::clone).map_err(ToString::to_string);
        let at = Instant::now();
        *last = Some(Look { meant: told, at });
        meant.map(|commit| (commit, at))
    }
}

/// Paths and contents.
pub type Entries = Vec<(String, Vec<u8>)>;

fn held(files: &Kept, revision: String) -> Held {
    let paths = Paths::of(files.tree.0.keys().map(String::as_str));
    Held { revision, hash: files.asset_hash.clone(), paths }
}
