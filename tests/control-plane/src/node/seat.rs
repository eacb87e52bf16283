//! A node's place on the machine: a number, and by it the names of its bridge, its addresses, its rules and its cgroup.
//! The number is held by a file lock, which the node's processes inherit: while one of them lives, nobody else takes it.
//! What a killed predecessor left under the number is removed first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::run;
use crate::error::{Error, Result};
use crate::state::State;

const CGROUPS: &str = "/sys/fs/cgroup";
const LEAVE: &str = include_str!("leave.sh");
/// As many nodes at once as anybody wants.
const MOST: u8 = 64;

#[derive(Debug)]
pub(super) struct Seat {
    number: u8,
    lock: File,
}

impl Seat {
    /// Takes the first free number, and writes the script that leaves it into the state folder, where it is run at the end.
    pub(super) fn take(state: &State) -> Result<Self> {
        let locks = std::env::temp_dir();
        for number in 0..MOST {
            let path = locks.join(format!("azureml-node-{number}.lock"));
            let lock = File::create(&path).map_err(Error::file("create", &path))?;
            if lock.try_lock().is_ok() {
                let seat = Self { number, lock };
                seat.prepare(state)?;
                return Ok(seat);
            }
        }
        Err(Error::Missing {
            what: format!("{MOST} nodes run here already"),
            remedy: "wait for one to end".into(),
        })
    }

    fn prepare(&self, state: &State) -> Result<()> {
        let values = [("@BRIDGE@", self.bridge()), ("@CHAIN@", self.chain()), ("@CGROUP@", self.cgroup())];
        let script = values.iter().fold(LEAVE.to_owned(), |text, (key, value)| text.replace(key, value));
        let path = state.write(crate::guard::AFTERWARDS, &script)?;
        run("sh", &[&path.to_string_lossy()])?;
        for controller in hierarchies()? {
            let folder = controller.join(self.cgroup());
            fs::create_dir_all(&folder).map_err(Error::file("create", folder))?;
        }
        Ok(())
    }

    /// The network interface that connects its pods.
    pub(super) fn bridge(&self) -> String {
        format!("azureml{}", self.number)
    }

    /// The chain of its rules.
    pub(super) fn chain(&self) -> String {
        format!("AZUREML-{}", self.number)
    }

    /// The cgroup that everything of it is in, relative to each hierarchy.
    pub(super) fn cgroup(&self) -> String {
        format!("azureml-node-{}", self.number)
    }

    /// Addresses of pods: the first three parts of them.
    pub(super) fn subnet(&self) -> String {
        format!("10.88.{}", self.number)
    }

    /// The lock, for the processes of the node to inherit.
    pub(super) fn into_lock(self) -> File {
        self.lock
    }
}

/// The mounted hierarchies: one of version 2, or one for each controller of version 1.
fn hierarchies() -> Result<Vec<PathBuf>> {
    let root = Path::new(CGROUPS);
    if root.join("cgroup.controllers").exists() {
        return Ok(vec![root.to_owned()]);
    }
    let entries = fs::read_dir(root).map_err(Error::file("read", root))?.filter_map(std::result::Result::ok);
    let folders =
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path());
    Ok(folders.filter(|folder| folder.join("cgroup.procs").exists()).collect())
}

/// Why cgroups cannot be used here.
pub(super) fn no_cgroups() -> Option<String> {
    let hierarchies = hierarchies().unwrap_or_default();
    let Some(any) = hierarchies.first() else {
        return Some(format!("a node needs cgroups, and none are mounted at {CGROUPS}"));
    };
    let probe = any.join(format!("azureml-probe-{}", std::process::id()));
    match fs::create_dir(&probe) {
        Ok(()) => fs::remove_dir(&probe).err().map(|error| format!("a node needs cgroups: {error}")),
        Err(error) => Some(format!("a node needs to make cgroups, and cannot in {}: {error}", any.display())),
    }
}

/// The processes of a container, found by its cgroup.
pub(super) fn processes(container: &str) -> Result<Vec<u32>> {
    for hierarchy in hierarchies()? {
        for seat in folders(&hierarchy, |name| name.starts_with("azureml-node-")) {
            if let Some(found) = below(&seat, container) {
                let file = found.join("cgroup.procs");
                let text = fs::read_to_string(&file).map_err(Error::file("read", file))?;
                return Ok(text.lines().filter_map(|line| line.parse().ok()).collect());
            }
        }
    }
    Ok(Vec::new())
}

fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let found = folders(folder, |_| true);
    let is_it = |path: &&PathBuf| path.file_name().is_some_and(|last| last.to_string_lossy().contains(name));
    found.iter().find(is_it).cloned().or_else(|| found.iter().find_map(|folder| below(folder, name)))
}

fn folders(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(std::result::Result::ok);
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders
        .filter(|entry| is_wanted(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect()
}
