//! From a commit to the files of a folder.
//!
//! In: objects, a folder, bounds. Out: the entries below it, and a draft with their bytes. Asks nothing of the server.

use super::objects::{FORMAT, Objects, unreadable};
use super::reference::Folder;
use crate::draft::Draft;
use crate::error::Error;
use crate::kept::Kept;
use azureml_plan::tree::{self, Bounds, Fault, Refused};
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use gix_object::{CommitRefIter, Kind, TreeRef};

/// A file, a link or a submodule.
pub(super) struct Entry {
    path: String,
    kind: EntryKind,
    id: ObjectId,
}

/// The tree of a folder.
pub(super) fn tree(objects: &Objects, folder: &Folder) -> Result<String, Error> {
    let commit = id(&folder.commit)?;
    let bytes = objects.get(&commit, Kind::Commit)?;
    let missing = || Error::Missing(format!("there is no commit {}; correct ref", folder.commit));
    let mut tree =
        CommitRefIter::from_bytes(&bytes.ok_or_else(missing)?, FORMAT).tree_id().map_err(unreadable)?;
    if folder.path.is_empty() {
        return Ok(tree.to_string());
    }
    for part in tree::path(&folder.path)?.split('/') {
        let below = entries(objects, &tree)?.into_iter().find(|entry| entry.path == part);
        let below = below.filter(|entry| entry.kind == EntryKind::Tree);
        let missing = || {
            Error::Missing(format!(
                "commit {} has no folder {}; correct path, or push it",
                folder.commit, folder.path
            ))
        };
        tree = below.ok_or_else(missing)?.id;
    }
    Ok(tree.to_string())
}

/// Every file and link below a tree.
pub(super) fn listing(objects: &Objects, root: &str, bounds: Bounds) -> Result<Vec<Entry>, Error> {
    let mut folders = vec![(String::new(), id(root)?)];
    let (mut found, mut read) = (Vec::new(), 0);
    while let Some((above, tree)) = folders.pop() {
        for entry in entries(objects, &tree)? {
            let path = tree::path(&format!("{above}{}", entry.path))?;
            let refused = |fault| Refused { entry: path.clone(), fault };
            read += 1;
            // A folder holds a file, so that folders without end are many files as well.
            if found.len() >= bounds.files || read > 2 * bounds.files {
                return Err(refused(Fault::Files(bounds.files)).into());
            }
            match entry.kind {
                EntryKind::Tree => folders.push((format!("{path}/"), entry.id)),
                EntryKind::Commit | EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                    found.push(Entry { path, ..entry });
                }
            }
        }
    }
    Ok(found)
}

/// The contents that are not there yet, each once.
pub(super) fn missing(objects: &Objects, listing: &[Entry]) -> Vec<String> {
    let contents = listing.iter().filter(|entry| entry.kind != EntryKind::Commit).map(|entry| entry.id);
    let mut ids: Vec<ObjectId> = contents.filter(|id| !objects.has(id)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(ToString::to_string).collect()
}

/// Writes the files into a draft.
pub(super) fn unpack(packs: &[&Objects], listing: &[Entry], mut draft: Draft) -> Result<Kept, Error> {
    for Entry { path, kind, id } in listing {
        if *kind == EntryKind::Commit {
            draft.fault(path, Fault::Submodule);
            continue;
        }
        let pack = packs.iter().find(|pack| pack.has(id));
        let bytes = pack.map(|pack| pack.get(id, Kind::Blob)).transpose()?.flatten();
        let bytes = bytes.ok_or_else(|| Error::unreadable(&format!("the content of {path} did not come")))?;
        if *kind == EntryKind::Link {
            draft.link(path, &String::from_utf8_lossy(&bytes))?;
        } else {
            if is_pointer(&bytes) {
                draft.fault(path, Fault::Pointer);
            }
            draft.file(path, *kind == EntryKind::BlobExecutable, bytes.as_slice())?;
        }
    }
    draft.finish()
}

/// Whether a file only says where its content is (Git LFS, "spec.md": fewer than 1,024 bytes, and the version stands first).
fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() < 1024 && bytes.starts_with(b"version https://git-lfs.github.com/spec/")
}

fn entries(objects: &Objects, tree: &ObjectId) -> Result<Vec<Entry>, Error> {
    let bytes = objects.get(tree, Kind::Tree)?.ok_or_else(|| Error::unreadable("a folder did not come"))?;
    let read = TreeRef::from_bytes(&bytes, FORMAT).map_err(unreadable)?;
    let entry = |entry: &gix_object::tree::EntryRef<'_>| {
        let name = std::str::from_utf8(entry.filename.as_ref());
        let unnamed = |_| Refused { entry: entry.filename.to_string(), fault: Fault::Path };
        let (path, kind) = (name.map_err(unnamed)?.to_owned(), entry.mode.kind());
        Ok(Entry { path, kind, id: entry.oid.to_owned() })
    };
    read.entries.iter().map(entry).collect()
}

fn id(hex: &str) -> Result<ObjectId, Error> {
    ObjectId::from_hex(hex.as_bytes()).map_err(|_| Error::unreadable("an id is none"))
}
