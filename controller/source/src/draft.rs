//! Files on their way to disk, each checked as it comes.
//!
//! In: entries of a source. Out: a [`Kept`], or the entry that is refused. Holds no file in memory.

use crate::download::hex;
use crate::error::Error;
use crate::ignored::LONGEST;
use crate::kept::Kept;
use crate::layers::Layers;
use crate::left_out::LeftOut;
use crate::text;
use azureml_plan::source::Purpose;
use azureml_plan::tree::{self, Bounds, Fault, Refused, Tree};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// So many links may lead to one another, as Linux has it.
const LINKS: usize = 40;

/// Files on their way to disk.
pub struct Draft {
    bounds: Bounds,
    /// What the files are for.
    purpose: Purpose,
    disk: BufWriter<File>,
    end: u64,
    files: BTreeMap<String, (tree::File, u64)>,
    links: BTreeMap<String, String>,
    /// Patterns beside those that the folder brings.
    ignore: Vec<String>,
    /// What no file can be made of; harmless where it is left out.
    faults: Vec<Refused>,
    layers: Layers,
    /// Bytes that were unpacked for it so far, also of what is left out.
    unpacked: Arc<AtomicU64>,
}

impl Draft {
    /// A folder without files; its bytes go into a file that has no name.
    pub(crate) fn new(bounds: Bounds, purpose: Purpose, disk: File) -> Self {
        Self {
            bounds,
            purpose,
            disk: BufWriter::new(disk),
            end: 0,
            files: BTreeMap::new(),
            links: BTreeMap::new(),
            ignore: Vec::new(),
            faults: Vec::new(),
            layers: Layers::default(),
            unpacked: Arc::default(),
        }
    }

    /// The same, where patterns of `.gitignore` leave files out beside those of the folder itself; they count last.
    #[must_use]
    pub fn ignoring(self, patterns: &[String]) -> Self {
        Self { ignore: patterns.to_vec(), ..self }
    }

    /// The count of the bytes that were unpacked for it.
    pub(crate) fn unpacked(&self) -> Arc<AtomicU64> {
        self.unpacked.clone()
    }

    /// What follows lies above what is there: an entry takes the place of another one with its name.
    pub(crate) fn layer(&mut self) {
        self.layers.begin(self.files.keys().chain(self.links.keys()));
    }

    /// Whether an entry of a layer is none, but takes away what is below it.
    pub(crate) fn hides(&mut self, path: &str) -> bool {
        let hidden = self.layers.hidden(path);
        self.remove(hidden.as_deref().unwrap_or_default());
        hidden.is_some()
    }

    /// An entry of a layer that is outside of the folder may take the folder away.
    pub(crate) fn beside(&mut self, whole: &str, folder: &str) {
        let lost = self.layers.lost(whole, folder);
        self.remove(&lost);
    }

    /// An entry of which no file can be made: refused when all are there, unless it is left out.
    pub(crate) fn fault(&mut self, entry: &str, fault: Fault) {
        self.faults.push(Refused { entry: entry.to_owned(), fault });
    }

    fn remove(&mut self, paths: &[String]) {
        for path in paths {
            self.files.remove(path);
            self.links.remove(path);
        }
    }

    /// How much it may hold.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// A file.
    ///
    /// # Errors
    /// When its name or its size is refused, or the disk fails.
    pub fn file(&mut self, entry: &str, is_executable: bool, content: impl Read) -> Result<(), Error> {
        let path = self.place(entry)?;
        let start = self.end;
        let mut hash = Sha256::new();
        let mut content = content.take(self.bounds.bytes - start + 1);
        let mut piece = vec![0; 64 << 10];
        loop {
            let read = content.read(&mut piece).map_err(Error::of_reader)?;
            if read == 0 {
                break;
            }
            self.end += read as u64;
            if self.end > self.bounds.bytes {
                return Err(refused(entry, Fault::Bytes(self.bounds.bytes)));
            }
            hash.update(&piece[..read]);
            self.disk.write_all(&piece[..read])?;
        }
        let sha256 = hex(hash);
        self.files.insert(path, (tree::File { size: self.end - start, sha256, is_executable }, start));
        Ok(())
    }

    /// A link to a file of the folder: it becomes a copy of that file, as Azure's command line uploads it.
    ///
    /// # Errors
    /// When it leaves the folder.
    pub fn link(&mut self, entry: &str, target: &str) -> Result<(), Error> {
        let path = self.place(entry)?;
        let target = tree::link(&path, target)?;
        self.links.insert(path, target);
        Ok(())
    }

    /// A second name of a file.
    ///
    /// # Errors
    /// When a name is refused.
    pub fn same(&mut self, entry: &str, file: &str) -> Result<(), Error> {
        let path = self.place(entry)?;
        self.links.insert(path, tree::path(file)?);
        Ok(())
    }

    /// The place of one more entry.
    fn place(&mut self, entry: &str) -> Result<String, Error> {
        let path = tree::path(entry)?;
        let replaced = self.layers.replaced(&path);
        self.remove(&replaced);
        if self.files.contains_key(&path) || self.links.contains_key(&path) {
            return Err(refused(entry, Fault::Twice));
        }
        if self.files.len() + self.links.len() >= self.bounds.files {
            return Err(refused(entry, Fault::Files(self.bounds.files)));
        }
        Ok(path)
    }

    /// All files are there. Bounds count what came, also what the folder's own patterns leave out now.
    ///
    /// # Errors
    /// When a link leads to no file, or the copies of links are too large, or the disk fails.
    pub fn finish(mut self) -> Result<Kept, Error> {
        self.follow_links()?;
        if let Purpose::File { path } = &self.purpose {
            let is_faulty = self.faults.iter().any(|fault| fault.entry == *path);
            let file = self.files.get(path).map(|(file, _)| file.size);
            if !is_faulty && file.is_none_or(|size| size > text::LONGEST) {
                return Err(text::refused(path, file, self.files.keys()));
            }
        }
        let Self { disk, files, end, purpose, ignore, faults, .. } = self;
        let disk = disk.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        let ignored = LeftOut::of(&purpose, &ignore, |name| patterns(&disk, &files, name))?;
        if let Some(fault) = faults.into_iter().find(|fault| !ignored.has(&fault.entry)) {
            return Err(fault.into());
        }
        let (files, starts): (BTreeMap<_, _>, BTreeMap<_, _>) = files
            .into_iter()
            .filter(|(path, _)| !ignored.has(path))
            .map(|(path, (file, start))| ((path.clone(), file), (path, start)))
            .unzip();
        Ok(Kept::of(Tree(files), (disk, end), starts)?)
    }

    fn follow_links(&mut self) -> Result<(), Error> {
        let mut total = self.end;
        for (entry, first) in &self.links {
            let mut target = first;
            for _ in 0..LINKS {
                target = self.links.get(target).unwrap_or(target);
            }
            // A circle ends at a link, which is no file.
            let file = (!self.links.contains_key(target)).then(|| self.files.get(target)).flatten();
            let file = file.cloned().ok_or_else(|| refused(entry, Fault::Leads))?;
            total += file.0.size;
            if total > self.bounds.bytes {
                return Err(refused(entry, Fault::Bytes(self.bounds.bytes)));
            }
            self.files.insert(entry.clone(), file);
        }
        Ok(())
    }
}

fn refused(entry: &str, fault: Fault) -> Error {
    Refused { entry: entry.to_owned(), fault }.into()
}

/// The text of a small file of patterns.
fn patterns(
    disk: &File,
    files: &BTreeMap<String, (tree::File, u64)>,
    name: &str,
) -> Result<Option<String>, Error> {
    let Some((file, start)) = files.get(name) else { return Ok(None) };
    let size = usize::try_from(file.size).ok().filter(|size| *size <= LONGEST);
    let mut text = vec![0; size.ok_or_else(|| refused(name, Fault::Patterns))?];
    disk.read_exact_at(&mut text, *start)?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}
