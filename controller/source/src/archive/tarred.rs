//! Files of an archive of tar, also of a compressed one, and of several that lie above one another.
//!
//! In: an archive as it comes, the folder of it that is wanted. Out: the files in a draft, or the entry that is refused. Writes no file
//! where the archive says: a name is only a name.

use crate::draft::Draft;
use crate::error::Error;
use crate::kept::Kept;
use azureml_plan::tree::{self, Fault, Refused};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tar::{Archive, Entry, EntryType, PaxExtensions};

/// The first bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What an archive may take beside its files, for each of them: heads, long names and folders.
const HEADS: u64 = 8 << 10;

/// The most bytes that stand before an entry for its name.
const HEAD: u64 = 64 << 10;

/// The folder of an archive that is wanted.
pub(crate) struct Place(String);

impl Place {
    /// The folder; the whole where it is empty.
    pub fn of(folder: &str) -> Result<Self, Error> {
        Ok(Self(if folder.is_empty() { String::new() } else { format!("{}/", tree::path(folder)?) }))
    }

    /// Whether it is the whole archive, which is always there.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// The path in the folder of what has this path in the archive.
    pub fn path<'a>(&self, whole: &'a str) -> Option<&'a str> {
        whole.strip_prefix(&self.0)
    }

    /// An error where nothing was found.
    pub fn found(&self, is_there: bool) -> Result<(), Error> {
        let folder = self.0.trim_end_matches('/');
        let missing = || Error::Missing(format!("the archive has no folder {folder}; correct path"));
        is_there.then_some(()).ok_or_else(missing)
    }
}

/// Unpacks a folder of an archive of tar; the whole where the folder is empty.
///
/// # Errors
/// When an entry is refused, whether in the folder or beside it, or the archive cannot be read, or has no such folder.
pub fn unpack(archive: impl BufRead, folder: &str, mut draft: Draft) -> Result<Kept, Error> {
    let place = Place::of(folder)?;
    let is_there = add(archive, &place, &mut draft)?;
    place.found(is_there || place.is_whole())?;
    draft.finish()
}

/// Adds the files of an archive of tar; whether one is in the folder.
pub(crate) fn add(mut archive: impl BufRead, place: &Place, draft: &mut Draft) -> Result<bool, Error> {
    let is_compressed = archive.fill_buf()?.starts_with(&GZIP);
    let plain: Box<dyn Read + '_> =
        if is_compressed { Box::new(MultiGzDecoder::new(archive)) } else { Box::new(archive) };
    let bounds = draft.bounds();
    let most = bounds.bytes.saturating_add(HEADS.saturating_mul(bounds.files as u64));
    let mut archive = Archive::new(Bounded { plain, most, read: draft.unpacked() });
    let (mut is_there, mut said) = (false, Said::default());
    // Raw, since what stands before an entry would be read whole else, however long it says that it is.
    for entry in archive.entries().map_err(|error| read(&error))?.raw(true) {
        let mut entry = entry.map_err(|error| read(&error))?;
        let kind = entry.header().entry_type();
        if kind == EntryType::GNULongName {
            said.name = Some(name(&mut entry)?);
        } else if kind == EntryType::GNULongLink {
            said.link = Some(name(&mut entry)?);
        } else if kind == EntryType::XHeader {
            said.extend(&head(&mut entry)?)?;
        } else {
            is_there |= add_entry(entry, std::mem::take(&mut said), place, draft)?;
        }
    }
    Ok(is_there)
}

/// What heads before an entry say of it, where its own head has no room.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl Said {
    /// Takes what is said by the extended heads of POSIX.
    fn extend(&mut self, head: &[u8]) -> Result<(), Error> {
        for one in PaxExtensions::new(head) {
            let one = one.map_err(|error| read(&error))?;
            match one.key_bytes() {
                b"path" => self.name = Some(one.value_bytes().to_vec()),
                b"linkpath" => self.link = Some(one.value_bytes().to_vec()),
                // Of files that no source may have.
                b"size" => return Err(Error::unreadable("an entry says its size beside its head")),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What stands before an entry.
fn head(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, Error> {
    if entry.size() > HEAD {
        return Err(Error::unreadable(&format!("a name in it has more than {HEAD} bytes")));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(|error| read(&error))?;
    Ok(bytes)
}

/// A long name, which ends with a zero.
fn name(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, Error> {
    let mut bytes = head(entry)?;
    bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    Ok(bytes)
}

/// Adds an entry; whether it is one of the folder.
fn add_entry(
    mut entry: Entry<'_, impl Read>,
    said: Said,
    place: &Place,
    draft: &mut Draft,
) -> Result<bool, Error> {
    let kind = entry.header().entry_type();
    if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader) {
        return Ok(false);
    }
    let whole = said.name.map_or_else(|| text(&entry.path_bytes()), |name| text(&name));
    let refused = |fault| Refused { entry: whole.clone(), fault };
    let whole_path = tree::path(&whole)?;
    let Some(path) = place.path(&whole_path) else {
        draft.beside(&whole_path, &place.0);
        return Ok(false);
    };
    if draft.hides(path) {
        return Ok(false);
    }
    let own = || entry.link_name_bytes().map(|bytes| text(&bytes));
    let target = said.link.map(|link| text(&link)).or_else(own);
    match (kind, target) {
        (EntryType::Regular | EntryType::Continuous, _) => {
            let mode = entry.header().mode().map_err(|error| read(&error))?;
            draft.file(path, mode & 0o111 != 0, &mut entry)?;
        }
        (EntryType::Symlink, Some(target)) => draft.link(path, &target)?,
        (EntryType::Link, Some(target)) => {
            // A hard link names its file from the archive's root.
            let target = tree::path(&target).map_err(|_| refused(Fault::Leaves))?;
            draft.same(path, place.path(&target).ok_or_else(|| refused(Fault::Leaves))?)?;
        }
        _ => return Err(refused(Fault::Kind).into()),
    }
    Ok(true)
}

/// A name that is no UTF-8 gets a sign that no path may have.
pub(super) fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes)
        .map_or_else(|_| String::from_utf8_lossy(bytes).into_owned() + "\0", str::to_owned)
}

fn read(error: &io::Error) -> Error {
    Error::unreadable(&error.to_string())
}

/// A reader that ends a bomb.
struct Bounded<R> {
    plain: R,
    most: u64,
    /// What was read for the draft so far, of all its archives.
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        let before = self.read.fetch_add(read as u64, Ordering::Relaxed);
        if before.saturating_add(read as u64) > self.most {
            return Err(io::Error::other(
                "unpacked it is larger than its files may be; choose a smaller one",
            ));
        }
        Ok(read)
    }
}
