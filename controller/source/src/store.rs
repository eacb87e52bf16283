//! What was fetched, on disk by its hash, until others need the room.
//!
//! In: a folder and how much it may hold. Out: trees that are there. A reader keeps its tree, also when that has left the store.

use crate::draft::Draft;
use crate::error::Error;
use crate::kept::Kept;
use azureml_plan::source::Purpose;
use azureml_plan::tree::Bounds;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Trees on disk.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    limit: u64,
    bounds: Bounds,
    /// What the files of drafts are for.
    purpose: Purpose,
    /// The one that was used last comes last.
    trees: Arc<Mutex<VecDeque<Arc<Kept>>>>,
}

impl Store {
    /// A store without trees.
    #[must_use]
    pub fn new(folder: PathBuf, limit: u64, bounds: Bounds) -> Self {
        Self { folder, limit, bounds, purpose: Purpose::default(), trees: Arc::default() }
    }

    /// The same trees, where the files of drafts are for something else.
    #[must_use]
    pub fn meant_for(&self, purpose: &Purpose) -> Self {
        Self { purpose: purpose.clone(), ..self.clone() }
    }

    /// The folder, for what is fetched and not unpacked yet.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How much one tree may hold.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// A tree that is to come.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft::new(self.bounds, self.purpose.clone(), tempfile::tempfile_in(&self.folder)?))
    }

    /// Keeps a tree; those that were not used for longest go until there is room.
    #[must_use]
    pub fn keep(&self, tree: Kept) -> Arc<Kept> {
        if let Some(known) = self.get(&tree.hash) {
            return known;
        }
        let tree = Arc::new(tree);
        let mut trees = self.trees();
        trees.push_back(tree.clone());
        let mut weight: u64 = trees.iter().map(|tree| tree.weight).sum();
        while weight > self.limit {
            let Some(gone) = trees.pop_front() else { break };
            weight -= gone.weight;
        }
        tree
    }

    /// The tree with this hash of its content.
    #[must_use]
    pub fn get(&self, hash: &str) -> Option<Arc<Kept>> {
        self.find(|tree| tree.hash == hash)
    }

    /// The tree with this hash of Azure ML's.
    #[must_use]
    pub fn get_by_asset_hash(&self, hash: &str) -> Option<Arc<Kept>> {
        self.find(|tree| tree.asset_hash == hash)
    }

    fn find(&self, is_it: impl Fn(&Kept) -> bool) -> Option<Arc<Kept>> {
        let mut trees = self.trees();
        let place = trees.iter().position(|tree| is_it(tree))?;
        let tree = trees.remove(place)?;
        trees.push_back(tree.clone());
        Some(tree)
    }

    fn trees(&self) -> MutexGuard<'_, VecDeque<Arc<Kept>>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(store: &Store, content: &str) -> Arc<Kept> {
        let mut draft = store.draft().unwrap();
        draft.file("a", false, content.as_bytes()).unwrap();
        store.keep(draft.finish().unwrap())
    }

    #[test]
    fn the_tree_that_was_used_least_recently_goes_and_its_reader_keeps_it() {
        let store = Store::new(std::env::temp_dir(), 10, Bounds::default());
        let (one, two) = (tree(&store, "1111"), tree(&store, "2222"));
        assert!(store.get(&one.hash).is_some(), "used again");
        let three = tree(&store, "3333");
        assert!(store.get(&two.hash).is_none());
        assert!(store.get_by_asset_hash(&one.asset_hash).is_some() && store.get(&three.hash).is_some());
        let mut text = String::new();
        std::io::Read::read_to_string(&mut two.open("a").unwrap(), &mut text).unwrap();
        assert_eq!(text, "2222");
        assert!(Arc::ptr_eq(&tree(&store, "1111"), &one), "equal files are kept once");
        let large = tree(&store, "more than ten bytes");
        assert!(store.get(&large.hash).is_none(), "what is larger than the store is not kept");
    }
}
