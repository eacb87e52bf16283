//! Git over HTTPS and SSH: version 2 of its protocol, of which a reader needs two commands.
//!
//! In: an address, credentials, a reference, a path. Out: the commit, the tree below the path, its files. Never more than the
//! files of one commit. Sources: git's `gitprotocol-v2`, `gitprotocol-pack`, `gitprotocol-http`.

mod https;
mod known;
mod objects;
mod older;
mod packet;
mod reference;
mod remote;
mod session;
pub(crate) mod ssh;
mod walk;

pub use self::reference::{BadReference, Folder, Listed, Reference};
pub use self::remote::Remote;
pub use crate::login::Login;

use self::objects::Objects;
use crate::error::Error;
use crate::kept::Kept;
use crate::store::Store;
use std::sync::Arc;

/// What was found at a folder.
#[derive(Debug)]
pub struct Found {
    /// Git's own id of the tree.
    pub tree: String,
    /// The files; none where the tree is the one that is known.
    pub files: Option<Arc<Kept>>,
}

impl Remote {
    /// The files of a folder, unless its tree is known already. Where the server can leave contents out, only those of the folder are
    /// fetched.
    ///
    /// # Errors
    /// When the commit or the path is not there, an entry is refused, or the server does not answer.
    pub async fn fetch(&self, folder: &Folder, known: Option<&str>, store: &Store) -> Result<Found, Error> {
        self.fetch_ignoring(folder, known, &[], store).await
    }

    /// The same, where patterns leave files out beside those of the folder.
    pub(crate) async fn fetch_ignoring(
        &self,
        folder: &Folder,
        known: Option<&str>,
        ignore: &[String],
        store: &Store,
    ) -> Result<Found, Error> {
        Reference::commit(&folder.commit).map_err(|_| Error::Name)?;
        let place = tempfile::tempdir_in(store.folder())?;
        let mut session = self.session().await?;
        let can_filter = session.can_filter();
        let pack = session.pack(std::slice::from_ref(&folder.commit), can_filter, place.path()).await?;
        let most = usize::try_from(store.bounds().bytes).unwrap_or(usize::MAX);
        let commit = Objects::read(pack, most).await?;
        let tree = walk::tree(&commit, folder)?;
        if known == Some(tree.as_str()) {
            return Ok(Found { tree, files: None });
        }
        let listing = walk::listing(&commit, &tree, store.bounds())?;
        let missing = walk::missing(&commit, &listing);
        let contents = if missing.is_empty() {
            None
        } else {
            let pack = session.pack(&missing, false, place.path()).await?;
            Some(Objects::read(pack, most).await?)
        };
        let draft = store.draft()?.ignoring(ignore);
        let kept = tokio::task::spawn_blocking(move || {
            // The packs are on disk while they are read.
            let _place = place;
            let all: Vec<&Objects> = std::iter::once(&commit).chain(&contents).collect();
            walk::unpack(&all, &listing, draft)
        });
        let kept = kept.await.map_err(std::io::Error::other)??;
        Ok(Found { tree, files: Some(store.keep(kept)) })
    }
}
