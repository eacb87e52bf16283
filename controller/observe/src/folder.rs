//! A folder of files to be uploaded: in memory, as texts of a manifest are, or on disk.
//!
//! In: files. Out: their sizes, and parts of them. Never all of what is on disk at once.

use azureml_source::Kept;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Files: relative path to content.
pub type Texts = BTreeMap<String, String>;

/// Files that are uploaded.
#[derive(Clone, Debug)]
pub enum Folder {
    /// Texts of a manifest.
    Texts(Arc<Texts>),
    /// Files on disk.
    Kept(Arc<Kept>),
}

impl Folder {
    /// Texts of a manifest.
    #[must_use]
    pub fn texts(texts: Texts) -> Self {
        Self::Texts(Arc::new(texts))
    }

    /// Paths and sizes in bytes.
    #[must_use]
    pub fn sizes(&self) -> Vec<(String, u64)> {
        match self {
            Self::Texts(texts) => {
                texts.iter().map(|(path, text)| (path.clone(), text.len() as u64)).collect()
            }
            Self::Kept(kept) => kept.tree.0.iter().map(|(path, file)| (path.clone(), file.size)).collect(),
        }
    }

    /// A part of a file, from an offset; shorter at its end.
    ///
    /// # Errors
    /// When there is no such file, or the disk fails.
    pub async fn piece(&self, path: &str, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Texts(texts) => {
                let bytes = texts.get(path).map(String::as_bytes).unwrap_or_default();
                let rest = bytes.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(most);
                Ok(rest.copied().collect())
            }
            Self::Kept(kept) => {
                let (kept, path) = (kept.clone(), path.to_owned());
                let piece = tokio::task::spawn_blocking(move || kept.piece(&path, offset, most));
                piece.await.map_err(io::Error::other)?
            }
        }
    }
}
