//! A tree of files with its bytes on disk.
//!
//! In: what a draft has written. Out: hashes, and the bytes of a file piece by piece. The file on disk has no name: the system frees it
//! when it is dropped, also where the process ends.

use azureml_crds::files::AssetHash;
use azureml_plan::dockerfile::{Context, LONGEST};
use azureml_plan::source::Purpose;
use azureml_plan::tree::Tree;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

/// A tree of files with its bytes.
#[derive(Debug)]
pub struct Kept {
    /// What is known of the files.
    pub tree: Tree,
    /// The hash of the content.
    pub hash: String,
    /// The hash by which Azure ML finds equal files (202208).
    pub asset_hash: String,
    /// What it takes on disk.
    pub(crate) weight: u64,
    bytes: File,
    starts: BTreeMap<String, u64>,
}

impl Kept {
    /// Computes the hashes.
    pub(crate) fn of(
        tree: Tree,
        (bytes, weight): (File, u64),
        starts: BTreeMap<String, u64>,
    ) -> io::Result<Self> {
        let hash = tree.hash();
        let mut kept = Self { tree, hash, asset_hash: String::new(), weight, bytes, starts };
        kept.asset_hash = kept.hashed_for_azure()?;
        Ok(kept)
    }

    /// The hash by which the files are known: of code Azure ML's, of a context the one that counts what may be run as a program, of one text
    /// that of its bytes.
    #[must_use]
    pub fn hash_for(&self, purpose: &Purpose) -> &str {
        match purpose {
            Purpose::Code | Purpose::Data => &self.asset_hash,
            Purpose::Context { .. } => &self.hash,
            Purpose::File { path } => self.tree.0.get(path).map_or(&self.hash, |file| &file.sha256),
        }
    }

    /// More of data, of a context and of a text: its names, and the file that is read, where it is a short text.
    pub(crate) fn context(&self, purpose: &Purpose) -> io::Result<Option<Context>> {
        let read = match purpose {
            Purpose::Code => return Ok(None),
            Purpose::Data => None,
            Purpose::Context { dockerfile } => dockerfile.as_ref(),
            Purpose::File { path } => Some(path),
        };
        let is_short = |path: &&String| self.tree.0.get(*path).is_some_and(|file| file.size <= LONGEST);
        let text = read.filter(is_short).map(|path| self.piece(path, 0, usize::MAX));
        let text = text.transpose()?.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(Some(Context::of(self.tree.0.keys().map(String::as_str), text)))
    }

    /// The bytes of a file.
    #[must_use]
    pub fn open(&self, path: &str) -> Option<impl Read + '_> {
        let (start, file) = (*self.starts.get(path)?, self.tree.0.get(path)?);
        Some(Section { bytes: &self.bytes, at: start, end: start + file.size })
    }

    /// A part of a file, from an offset; shorter at its end.
    ///
    /// # Errors
    /// When the disk fails, or there is no such file.
    pub fn piece(&self, path: &str, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let (Some(start), Some(file)) = (self.starts.get(path), self.tree.0.get(path)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let left = usize::try_from(file.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut piece = vec![0; left.min(most)];
        self.bytes.read_exact_at(&mut piece, start + offset)?;
        Ok(piece)
    }

    fn hashed_for_azure(&self) -> io::Result<String> {
        let sizes = self.tree.0.iter().map(|(path, file)| (path.as_str(), file.size));
        let mut hash = AssetHash::of(sizes);
        let mut piece = vec![0; 64 << 10];
        for mut content in std::mem::take(&mut hash.order).into_iter().filter_map(|path| self.open(path)) {
            loop {
                let read = content.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                hash.add(&piece[..read]);
            }
        }
        Ok(hash.finish())
    }
}

/// A part of a file.
struct Section<'a> {
    bytes: &'a File,
    at: u64,
    end: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.bytes.read_at(&mut buffer[..left], self.at)?;
        if read == 0 && left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}
