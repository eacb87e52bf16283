//! Archives of files for a build service.
//!
//! In: a tree on disk, files that lie above it. Out: a tar archive with gzip in a file without a name, which the system frees when it is
//! closed. Never a whole file in memory.

use azureml_source::Kept;
use flate2::{Compression, GzBuilder};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// An archive on disk.
pub struct Packed {
    file: Arc<File>,
    /// Bytes.
    pub size: u64,
}

impl Packed {
    /// Packs files: sorted, without times or owners, so that equal files give equal bytes. Those above take the place of those with their
    /// names.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of(below: &Kept, above: &BTreeMap<String, String>) -> io::Result<Self> {
        let gzip =
            GzBuilder::new().mtime(0).write(BufWriter::new(tempfile::tempfile()?), Compression::default());
        let mut tar = tar::Builder::new(gzip);
        let names = below.tree.0.iter().map(|(path, file)| (path, Some(file)));
        let mut all: BTreeMap<_, _> = names.collect();
        all.extend(above.keys().map(|path| (path, None)));
        for (path, file) in all {
            let (size, mode, content): (u64, u32, Box<dyn Read + '_>) = match (file, above.get(path)) {
                (_, Some(text)) => (text.len() as u64, 0o644, Box::new(text.as_bytes())),
                (Some(file), None) => {
                    let mode = if file.is_executable { 0o755 } else { 0o644 };
                    (file.size, mode, Box::new(below.open(path).ok_or(io::ErrorKind::NotFound)?))
                }
                (None, None) => continue,
            };
            let mut header = tar::Header::new_gnu();
            header.set_size(size);
            header.set_mode(mode);
            header.set_mtime(0);
            tar.append_data(&mut header, path, content)?;
        }
        let file = tar.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        let size = (&file).seek(SeekFrom::End(0))?;
        Ok(Self { file: Arc::new(file), size })
    }

    /// A part of the archive, from an offset; shorter at its end.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn piece(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (file, mut piece) = (self.file.clone(), vec![0; left.min(most)]);
        let read = tokio::task::spawn_blocking(move || {
            file.read_exact_at(&mut piece, offset)?;
            Ok(piece)
        });
        read.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_plan::source::Purpose;
    use azureml_plan::tree::Bounds;
    use azureml_source::Store;
    use flate2::read::GzDecoder;

    #[tokio::test]
    async fn what_is_above_takes_the_place_of_what_is_below() {
        let store = Store::new(std::env::temp_dir(), 1 << 20, Bounds::default());
        let mut draft =
            store.meant_for(&Purpose::Context { dockerfile: Some("d/Dockerfile".into()) }).draft().unwrap();
        let long = format!("{}/{}", "a".repeat(150), "b".repeat(150));
        draft.file("d/Dockerfile", false, b"FROM below".as_slice()).unwrap();
        draft.file("run.sh", true, b"#!/bin/sh".as_slice()).unwrap();
        draft.file(&long, false, b"long".as_slice()).unwrap();
        let kept = draft.finish().unwrap();
        let above = BTreeMap::from([("d/Dockerfile".to_owned(), "FROM above".to_owned())]);
        let packed = Packed::of(&kept, &above).unwrap();
        let bytes = packed.piece(0, usize::MAX).await.unwrap();
        assert_eq!(packed.piece(packed.size - 3, 9).await.unwrap(), bytes[bytes.len() - 3..]);
        let again = Packed::of(&kept, &above).unwrap();
        assert_eq!(again.piece(0, usize::MAX).await.unwrap(), bytes, "equal files give equal bytes");
        let mut found = Vec::new();
        for entry in tar::Archive::new(GzDecoder::new(bytes.as_slice())).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((path, entry.header().mode().unwrap(), text));
        }
        let file = |path: &str, mode, text: &str| (path.to_owned(), mode, text.to_owned());
        let expected = [
            file(&long, 0o644, "long"),
            file("d/Dockerfile", 0o644, "FROM above"),
            file("run.sh", 0o755, "#!/bin/sh"),
        ];
        assert_eq!(found, expected);
    }
}
