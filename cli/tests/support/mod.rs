//! Files in memory, as a conversion sees them.
//!
//! In: a folder of tests, read once. Out: `Files`, below the name of the folder. No conversion of the tests touches the disk.

use azureml_cli::convert::context::{Git, Options};
use azureml_cli::convert::files::{Files, Found};
use std::collections::BTreeMap;
use std::path::Path;

/// Path to content.
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Memory {
    /// Everything below a folder.
    pub fn of(folder: &Path) -> std::io::Result<Self> {
        let mut files = BTreeMap::new();
        gather(folder, "", &mut files)?;
        Ok(Self(files))
    }
}

fn gather(folder: &Path, before: &str, files: &mut BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

impl Files for Memory {
    fn look(&self, path: &str) -> Found {
        if let Some(bytes) = self.0.get(path) {
            return Found::File(bytes.clone());
        }
        let before = if path == "." { String::new() } else { format!("{path}/") };
        let below: Vec<String> =
            self.0.keys().filter_map(|name| name.strip_prefix(&before)).map(str::to_owned).collect();
        if below.is_empty() { Found::Nothing } else { Found::Folder(below) }
    }

    fn in_repository(&self, path: &str) -> Option<String> {
        (!path.starts_with("..")).then(|| path.to_owned())
    }
}

/// What a user gives who gives nothing.
pub fn options() -> Options {
    Options { namespace: None, workspace: "team-a".to_owned(), is_lenient: false, git: None }
}

/// The same, with the files in a repository.
pub fn in_git() -> Options {
    let git = Git {
        url: "https://git.example.org/shop".to_owned(),
        kind: "branch".to_owned(),
        reference: "main".to_owned(),
    };
    Options { git: Some(git), ..options() }
}
