//! Files of an archive: tar, tar with gzip, zip.
//!
//! In: an archive by its bytes, the folder of it that is wanted. Out: the files in a draft, or the entry that is refused. Writes no
//! file where the archive says: a name is only a name.

mod tarred;
mod zipped;

pub use self::tarred::unpack;
pub(crate) use self::tarred::{Place, add};

use crate::draft::Draft;
use crate::error::Error;
use crate::kept::Kept;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

/// The first bytes of what is not read, and its name.
const OTHERS: [(&[u8], &str); 5] = [
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
];

/// How an archive of zip begins, also one without files.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Unpacks a folder of an archive on disk, whose kind its first bytes tell; the whole where the folder is empty.
///
/// # Errors
/// When an entry is refused, whether in the folder or beside it, or the archive cannot be read, or has no such folder.
pub fn open(mut archive: File, folder: &str, draft: Draft) -> Result<Kept, Error> {
    let mut head = Vec::new();
    archive.by_ref().take(8).read_to_end(&mut head)?;
    archive.seek(SeekFrom::Start(0))?;
    if let Some((_, name)) = OTHERS.iter().find(|(first, _)| head.starts_with(first)) {
        return Err(Error::Format(name));
    }
    if ZIP.iter().any(|first| head.starts_with(first)) {
        return zipped::unpack(archive, folder, draft);
    }
    unpack(BufReader::new(archive), folder, draft)
}
