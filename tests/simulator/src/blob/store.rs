//! Where blobs are kept: a file for each below the simulator's folder, and what storage knows about it in memory.
//! A file that somebody else put there is a blob too. It knows nothing of HTTP.

use bytes::Bytes;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// One blob's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The storage account.
    pub account: String,
    /// The container.
    pub container: String,
    /// The path in the container; empty for the container itself.
    pub path: String,
}

impl Place {
    /// An address; `None` when a part of it could lead out of the folder.
    pub fn new(account: &str, container: &str, path: &str) -> Option<Self> {
        let plain =
            |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
        let fits = plain(account) && plain(container) && !account.contains('/') && !container.contains('/');
        let path = path.trim_matches('/');
        let fits = fits && (path.is_empty() || path.split('/').all(plain));
        fits.then(|| Self {
            account: account.to_owned(),
            container: container.to_owned(),
            path: path.to_owned(),
        })
    }

    /// The same container, another path in it.
    pub fn with(&self, path: &str) -> Option<Self> {
        Self::new(&self.account, &self.container, path)
    }
}

/// What storage knows about a blob besides its content.
#[derive(Clone, Debug)]
pub struct Meta {
    /// The number of bytes.
    pub size: u64,
    /// Base64 of the MD5; empty when it was never computed.
    pub md5: String,
    /// The version of the content.
    pub etag: String,
    /// When it was last written.
    pub modified: Timestamp,
    /// Metadata by name.
    pub metadata: Vec<(String, String)>,
}

/// All blobs.
pub struct Blobs {
    root: PathBuf,
    containers: BTreeSet<(String, String)>,
    known: BTreeMap<Place, Meta>,
    staged: BTreeMap<Place, BTreeMap<String, Bytes>>,
    keyless: BTreeSet<String>,
    contributors: BTreeSet<String>,
}

impl Blobs {
    /// Blobs in a folder, which is made when the first is written.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            containers: BTreeSet::new(),
            known: BTreeMap::new(),
            staged: BTreeMap::new(),
            keyless: BTreeSet::new(),
            contributors: BTreeSet::new(),
        }
    }

    /// Makes a container and its folder, so that somebody can put files there; one that is there stays as it is.
    pub fn create_container(&mut self, account: &str, container: &str) {
        // A folder that cannot be made shows when the first blob is written to it.
        let _ = std::fs::create_dir_all(self.root.join(account).join(container));
        self.containers.insert((account.to_owned(), container.to_owned()));
    }

    /// Lets an account take tokens alone.
    pub fn refuse_keys(&mut self, account: &str) {
        self.keyless.insert(account.to_owned());
    }

    /// Whether an account takes signatures that were made with its keys.
    pub fn takes_keys(&self, account: &str) -> bool {
        !self.keyless.contains(account)
    }

    /// Gives an application the role Storage Blob Data Contributor on all accounts, or takes it away.
    pub fn give_role(&mut self, client: &str, has: bool) {
        if has {
            self.contributors.insert(client.to_owned())
        } else {
            self.contributors.remove(client)
        };
    }

    /// Whether an application may read and write blobs of an account; where keys are taken, roles are not simulated.
    pub fn may(&self, account: &str, client: &str) -> bool {
        self.takes_keys(account) || self.contributors.contains(client)
    }

    /// Whether the container of a place exists.
    pub fn has_container(&self, place: &Place) -> bool {
        self.containers.contains(&(place.account.clone(), place.container.clone()))
    }

    /// The file, or the folder, of a place.
    pub fn file(&self, place: &Place) -> PathBuf {
        self.root.join(&place.account).join(&place.container).join(&place.path)
    }

    /// What is known about a blob; `None` when there is none.
    pub fn meta(&self, place: &Place) -> Option<Meta> {
        let file = std::fs::metadata(self.file(place)).ok().filter(std::fs::Metadata::is_file)?;
        let found = || Meta {
            size: file.len(),
            md5: String::new(),
            etag: format!("\"0x{:X}\"", file.len()),
            modified: file
                .modified()
                .ok()
                .and_then(|time| Timestamp::try_from(time).ok())
                .unwrap_or(Timestamp::UNIX_EPOCH),
            metadata: Vec::new(),
        };
        Some(self.known.get(place).filter(|meta| meta.size == file.len()).cloned().unwrap_or_else(found))
    }

    /// The content of a blob.
    pub fn read(&self, place: &Place) -> Option<Bytes> {
        std::fs::read(self.file(place)).ok().map(Bytes::from)
    }

    /// Keeps a part of a blob; false where the parts that are there have names of another length.
    pub fn stage(&mut self, place: &Place, id: &str, content: Bytes) -> bool {
        let parts = self.staged.entry(place.clone()).or_default();
        if parts.keys().any(|known| known.len() != id.len()) {
            return false;
        }
        parts.insert(id.to_owned(), content);
        true
    }

    /// A part of a blob that is in no blob yet.
    pub fn staged(&self, place: &Place, id: &str) -> Option<Bytes> {
        self.staged.get(place)?.get(id).cloned()
    }

    /// Forgets the parts of a blob.
    pub fn unstage(&mut self, place: &Place) {
        self.staged.remove(place);
    }

    /// Writes a blob.
    pub fn write(&mut self, place: &Place, content: &[u8], meta: Meta) -> io::Result<()> {
        let file = self.file(place);
        file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(file, content)?;
        self.known.insert(place.clone(), meta);
        Ok(())
    }

    /// Writes a blob that the simulated Azure makes itself; a folder that cannot be written shows in a later GET.
    pub fn publish(
        &mut self,
        place: &Place,
        content: &[u8],
        now: Timestamp,
        metadata: Vec<(String, String)>,
    ) {
        let meta = Meta {
            size: content.len() as u64,
            md5: String::new(),
            etag: format!("\"0x{:X}\"", now.as_microsecond()),
            modified: now,
            metadata,
        };
        let _ = self.write(place, content, meta);
    }

    /// Replaces what is known about a blob.
    pub fn describe(&mut self, place: &Place, meta: Meta) {
        self.known.insert(place.clone(), meta);
    }

    /// The paths of all blobs at or below a place, in order.
    pub fn list(&self, place: &Place) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.file(place), &mut found);
        let root = self.root.join(&place.account).join(&place.container);
        let mut paths: Vec<String> = found
            .iter()
            .filter_map(|file| file.strip_prefix(&root).ok()?.to_str().map(str::to_owned))
            .collect();
        paths.sort();
        paths
    }
}

fn walk(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        found.push(path.to_owned());
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        walk(&entry.path(), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_never_leads_out_of_its_container() {
        assert!(Place::new("acct", "c", "a/b.txt").is_some());
        for (account, container, path) in
            [("..", "c", "a"), ("acct", "a/b", "a"), ("acct", "c", "a/../../b"), ("acct", "", "a")]
        {
            assert!(Place::new(account, container, path).is_none(), "{account} {container} {path}");
        }
    }

    #[test]
    fn a_file_that_somebody_put_there_is_a_blob() {
        let dir = tempfile::tempdir().unwrap();
        let mut blobs = Blobs::new(dir.path().to_owned());
        blobs.create_container("acct", "c");
        let place = Place::new("acct", "c", "raw/in.csv").unwrap();
        std::fs::create_dir_all(dir.path().join("acct/c/raw")).unwrap();
        std::fs::write(blobs.file(&place), "a,b").unwrap();
        assert_eq!(blobs.meta(&place).map(|meta| meta.size), Some(3));
        assert_eq!(blobs.list(&place.with("raw").unwrap()), ["raw/in.csv"]);
    }
}
