//! The folder of one control plane: keys, kubeconfigs, logs and etcd's data, readable by its owner alone.
//! It goes with the control plane, unless a file `keep` lies in it; where this process is killed, etcd's guard removes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::error::{Error, Result};
use crate::say;

/// The name of the marker that keeps the folder.
const KEEP: &str = "keep";

#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
}

impl State {
    pub(crate) fn create() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("control-plane-").tempdir();
        let folder = folder.map_err(Error::file("create a folder in", std::env::temp_dir()))?;
        Ok(Self { path: folder.keep() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, content: &str) -> Result<PathBuf> {
        let path = self.join(name);
        fs::write(&path, content).map_err(Error::file("write", &path))?;
        Ok(path)
    }

    /// Keeps the folder when the control plane ends, so that its logs can be read.
    pub(crate) fn keep(&self) {
        if let Err(error) = self.write(KEEP, "") {
            say(&format!("the logs are not kept: {error}"));
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep();
            say(&format!("the logs are kept in {}", self.path.display()));
        }
        if self.join(KEEP).exists() {
            // 64 MB that no reader of logs misses.
            let _ = fs::remove_dir_all(self.join(crate::etcd::DATA));
        } else {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
