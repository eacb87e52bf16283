//! Bytes from a server on their way to disk, or to memory where they are few.
//!
//! In: an answer, how much may come. Out: a file without a name and its SHA-256. Unpacks nothing.

use crate::error::Error;
use reqwest::Response;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::path::Path;
use tokio::io::AsyncWriteExt as _;

/// What came.
#[derive(Debug)]
pub(crate) struct Download {
    /// The bytes; the file is at its start.
    pub bytes: File,
    /// Their SHA-256 in hex.
    pub sha256: String,
}

/// Keeps an answer on disk.
pub(crate) async fn to_disk(mut answer: Response, most: u64, folder: &Path) -> Result<Download, Error> {
    if answer.content_length().is_some_and(|length| length > most) {
        return Err(Error::TooMuch(most));
    }
    let mut file = tokio::fs::File::from_std(tempfile::tempfile_in(folder)?);
    let (mut hash, mut left) = (Sha256::new(), most);
    while let Some(piece) = answer.chunk().await? {
        left = left.checked_sub(piece.len() as u64).ok_or(Error::TooMuch(most))?;
        hash.update(&piece);
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    let mut bytes = file.into_std().await;
    bytes.seek(SeekFrom::Start(0))?;
    Ok(Download { bytes, sha256: hex(hash) })
}

/// Reads an answer of few bytes.
pub(crate) async fn to_memory(mut answer: Response, most: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if bytes.len() + piece.len() > most {
            return Err(Error::TooMuch(most as u64));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The digest of bytes as registries write it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(bytes);
    format!("sha256:{}", hex(hash))
}

/// A hash in hex.
pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
