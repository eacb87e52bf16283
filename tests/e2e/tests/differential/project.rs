//! A folder of files of `az ml`, where both sides read them.
//!
//! In: a folder. Out: a copy of it on the disk, in which code and data that the files name and that are not there have
//! stand-ins: published examples often come without them, and what is compared is what is said of them.

use anyhow::{Context as _, Result};
use azureml_cli::convert::files::{Files, Found, tidy};
use regex::Regex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What stands for a file of a kind: the end of its name, and its content.
const STAND_INS: [(&str, &str); 4] = [
    ("conda.yaml", "name: stand-in\ndependencies: [python=3.11, pip]\n"),
    ("conda.yml", "name: stand-in\ndependencies: [python=3.11, pip]\n"),
    ("Dockerfile", "FROM mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20260101.v1\n"),
    ("", "stand-in\n"),
];

/// The copy.
pub struct Project {
    folder: TempDir,
    /// Names that folders of code have to have: programs that steps begin with.
    programs: BTreeSet<String>,
}

impl Project {
    /// Copies a folder.
    pub fn of(folder: &Path) -> Result<Self> {
        let copy = tempfile::tempdir()?;
        let mut programs: BTreeSet<String> = ["Dockerfile", "main.py"].map(str::to_owned).into();
        let named = Regex::new(r"(?m)^\s*(?:file|entry_script):\s*[./]*([\w/-]+\.(?:py|R))\s*$")?;
        for name in below(folder)? {
            let (from, to) = (folder.join(&name), copy.path().join(&name));
            std::fs::create_dir_all(to.parent().context("no folder")?)?;
            std::fs::copy(&from, &to).with_context(|| from.display().to_string())?;
            if is_yaml(&name) {
                let text = String::from_utf8_lossy(&std::fs::read(&from)?).into_owned();
                programs.extend(named.captures_iter(&text).map(|found| found[1].to_owned()));
            }
        }
        Ok(Self { folder: copy, programs })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The files that a person would hand to `az ml`.
    pub fn yaml(&self) -> Result<Vec<String>> {
        Ok(below(self.path())?.into_iter().filter(|name| is_yaml(name)).collect())
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> String {
        std::fs::read(self.path().join(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Writes what stands for a path; nothing for files whose content decides what is compared.
    fn stand_in(&self, name: &str) -> std::io::Result<()> {
        let (path, last) = (self.path().join(name), name.rsplit('/').next().unwrap_or(name));
        let is_lost = last.starts_with('.')
            || is_yaml(last) && !last.ends_with("conda.yaml") && !last.ends_with("conda.yml");
        if is_lost || path.ancestors().skip(1).any(Path::is_file) {
            return Ok(());
        }
        let write = |path: &PathBuf| {
            let content = STAND_INS
                .iter()
                .find(|(end, _)| path.ends_with(end) || path.to_string_lossy().ends_with(end));
            std::fs::create_dir_all(path.parent().unwrap_or(path))?;
            std::fs::write(path, content.map_or("", |(_, content)| content))
        };
        if last.contains('.') {
            return write(&path);
        }
        self.programs.iter().try_for_each(|program| write(&path.join(program)))
    }
}

impl Files for Project {
    fn look(&self, path: &str) -> Found {
        let path = tidy(path);
        let whole = self.path().join(&path);
        if !whole.exists() && !path.starts_with("..") && self.stand_in(&path).is_err() {
            return Found::Unreadable("it cannot have a stand-in".to_owned());
        }
        if whole.is_dir() {
            return below(&whole).map_or_else(|error| Found::Unreadable(error.to_string()), Found::Folder);
        }
        std::fs::read(&whole).map_or(Found::Nothing, Found::File)
    }

    fn in_repository(&self, path: &str) -> Option<String> {
        (!path.starts_with("..")).then(|| path.to_owned())
    }
}

/// Whether a name is that of a YAML file.
pub fn is_yaml(name: &str) -> bool {
    [".yml", ".yaml"].iter().any(|end| name.ends_with(end))
}

/// Every file below a folder, in the order of the names.
fn below(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(before) = folders.pop() {
        for entry in std::fs::read_dir(folder.join(&before))? {
            let entry = entry?;
            let name = format!("{before}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(format!("{name}/"));
            } else {
                names.push(name);
            }
        }
    }
    names.sort();
    Ok(names)
}
