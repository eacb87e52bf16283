//! The user's cache: folders that are made once, under a key, and then only read.
//! In: a name, a key and a way to fill a folder. Out: the filled folder, whole or not at all.
//! Safe against several makers at once (a file lock) and against a maker that is killed (rename at the end).
//! May not know what it holds.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::{progress, say};

/// A folder of entries, shared by every checkout of the user.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `$XDG_CACHE_HOME/azureml-operator`, or `~/.cache/azureml-operator` where that variable is not set.
    ///
    /// # Errors
    /// When neither the variable nor a home folder is known.
    pub fn of_user() -> Result<Self> {
        let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let base = base.or_else(|| env::home_dir().map(|home| home.join(".cache")));
        let base = base.ok_or_else(|| Error::Missing {
            what: "no folder for a cache: neither XDG_CACHE_HOME nor HOME is set".into(),
            remedy: "set XDG_CACHE_HOME to an absolute path".into(),
        })?;
        Ok(Self::at(base.join("azureml-operator")))
    }

    /// A cache in a given folder, which need not exist yet.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the entries are.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder `<name>-<key>`, where it was made before.
    pub(crate) fn present(&self, name: &str, key: &str) -> Option<PathBuf> {
        let entry = self.root.join(format!("{name}-{key}"));
        entry.is_dir().then_some(entry)
    }

    /// The folder `<name>-<key>`. Where it is missing, `fill` is called with an empty folder that then becomes it.
    ///
    /// # Errors
    /// Those of `fill`, after which the entry is still missing, and those of the file system.
    pub fn entry<E: From<Error>>(
        &self,
        name: &str,
        key: &str,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        let entry = self.root.join(format!("{name}-{key}"));
        if entry.is_dir() {
            return Ok(entry);
        }
        fs::create_dir_all(&self.root).map_err(Error::file("create", &self.root))?;
        let _lock = self.lock(&format!("{name}-{key}"))?;
        if entry.is_dir() {
            return Ok(entry);
        }
        // The lock is ours, so what lies here was left by a maker that was killed.
        let draft = self.root.join(format!("{name}-{key}.draft"));
        remove(&draft)?;
        fs::create_dir(&draft).map_err(Error::file("create", &draft))?;
        fill(&draft).inspect_err(|_| drop(remove(&draft)))?;
        fs::rename(&draft, &entry).map_err(Error::file("rename", &draft))?;
        Ok(entry)
    }

    /// Held until the file is dropped; the system releases it when the process ends, however it ends.
    fn lock(&self, what: &str) -> Result<File> {
        let path = self.root.join(format!("{what}.lock"));
        let file = File::create(&path).map_err(Error::file("create", &path))?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => say(&format!("waiting for another process that makes {what}")),
            Err(TryLockError::Error(source)) => return Err(Error::File { verb: "lock", path, source }),
        }
        let waiting = format!("waiting for another process that makes {what}");
        progress::during(&waiting, || file.lock()).map_err(Error::file("lock", path))?;
        Ok(file)
    }
}

/// A key for what is made from these inputs: the first 12 hexadecimal digits of their hash.
#[must_use]
pub fn key(inputs: &[&str]) -> String {
    let mut hash = Sha256::new();
    for input in inputs {
        // With its length, so that moving a byte from one input to the next gives another key.
        hash.update(input.len().to_le_bytes());
        hash.update(input);
    }
    hex(&hash.finalize()[..6])
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    fn scratch() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        (folder, cache)
    }

    #[test]
    fn an_entry_is_made_once_by_many_makers() {
        let (_folder, cache) = scratch();
        let made = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let entry = cache.entry("tool", "1", |draft| {
                        made.fetch_add(1, Ordering::SeqCst);
                        fs::write(draft.join("file"), "whole").map_err(Error::file("write", draft))
                    });
                    assert_eq!(fs::read_to_string(entry.unwrap().join("file")).unwrap(), "whole");
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_a_killed_maker_left_is_made_anew() {
        let (_folder, cache) = scratch();
        let left = cache.root().join("tool-1.draft");
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("half"), "…").unwrap();
        let entry = cache.entry("tool", "1", |_| Ok::<_, Error>(())).unwrap();
        assert_eq!(fs::read_dir(entry).unwrap().count(), 0);
    }

    #[test]
    fn a_failed_maker_leaves_no_entry() {
        let (_folder, cache) = scratch();
        let fail = |_: &Path| Err(Error::Late { what: "it".into(), waited: std::time::Duration::ZERO });
        assert!(cache.entry("tool", "1", fail).is_err());
        let names: Vec<_> =
            fs::read_dir(cache.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["tool-1.lock"]);
    }

    #[test]
    fn a_key_depends_on_where_an_input_ends() {
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["ab", "c"]).len(), 12);
    }
}
