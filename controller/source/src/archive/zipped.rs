//! Files of an archive of zip.
//!
//! In: an archive on disk, the folder of it that is wanted. Out: the files in a draft, or the entry that is refused. An archive whose
//! entries share bytes or names is refused: readers differ in what it holds.

use super::tarred::{Place, text};
use crate::draft::Draft;
use crate::error::Error;
use crate::kept::Kept;
use azureml_plan::tree::{self, Fault, Refused};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

/// The longest link: that of Linux.
const LONGEST_LINK: u64 = 4096;

/// What the list of entries may take, for each file that may be there, and for the end of the archive.
const LISTED: u64 = 512;
const END: u64 = 256 << 10;

/// The kind of an entry in its mode.
const KIND: u32 = 0o170_000;
const SYMLINK: u32 = 0o120_000;
const REGULAR: u32 = 0o100_000;

/// Unpacks a folder of an archive; the whole where the folder is empty.
pub(super) fn unpack(archive: File, folder: &str, mut draft: Draft) -> Result<Kept, Error> {
    let files = draft.bounds().files as u64;
    // The list is read at once and kept in memory; what follows is read piece by piece.
    let left = Rc::new(Cell::new(Some(LISTED.saturating_mul(files).saturating_add(END))));
    let bounded = Bounded { archive: BufReader::new(archive), left: left.clone() };
    let mut archive = ZipArchive::new(bounded).map_err(|error| unreadable(&error))?;
    left.set(None);
    if archive.has_duplicate_names() {
        return Err(Error::unreadable("two entries of the archive have one name"));
    }
    if archive.has_overlapping_files().map_err(|error| unreadable(&error))? {
        return Err(Error::unreadable("entries of the archive share their bytes"));
    }
    let names: Vec<String> = archive.file_names_raw().map(text).collect();
    let place = Place::of(folder)?;
    let mut is_there = place.is_whole();
    for (index, name) in names.iter().enumerate() {
        let entry = archive.by_index(index).map_err(|error| Error::entry(name, &error.to_string()))?;
        is_there |= add(entry, name, &place, &mut draft)?;
    }
    place.found(is_there)?;
    draft.finish()
}

/// Adds an entry; whether it is one of the folder.
fn add(
    mut entry: ZipFile<'_, impl Read>,
    name: &str,
    place: &Place,
    draft: &mut Draft,
) -> Result<bool, Error> {
    if entry.is_dir() {
        return Ok(false);
    }
    let whole = tree::path(name)?;
    let Some(path) = place.path(&whole) else { return Ok(false) };
    let mode = entry.unix_mode().unwrap_or(REGULAR);
    match mode & KIND {
        SYMLINK => {
            let mut target = Vec::new();
            (&mut entry).take(LONGEST_LINK).read_to_end(&mut target)?;
            draft.link(path, &text(&target))?;
        }
        // Some programs write the rights alone.
        REGULAR | 0 => draft.file(path, mode & 0o111 != 0, Named { name, entry })?,
        _ => return Err(Refused { entry: name.to_owned(), fault: Fault::Kind }.into()),
    }
    Ok(true)
}

/// An entry whose errors name it: a wrong checksum, a broken stream.
struct Named<'a, R> {
    name: &'a str,
    entry: R,
}

impl<R: Read> Read for Named<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.entry.read(buffer);
        read.map_err(|error| io::Error::new(error.kind(), Error::entry(self.name, &error.to_string())))
    }
}

fn unreadable(error: &ZipError) -> Error {
    Error::unreadable(&error.to_string())
}

/// A reader that ends where the list of entries is longer than it may be.
struct Bounded<R> {
    archive: R,
    left: Rc<Cell<Option<u64>>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.archive.read(buffer)?;
        if let Some(left) = self.left.get() {
            let left = left.checked_sub(read as u64);
            self.left.set(Some(left.ok_or_else(|| {
                io::Error::other("its list of entries is longer than its files may be; choose a smaller one")
            })?));
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.archive.seek(place)
    }
}
