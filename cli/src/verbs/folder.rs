//! A folder of files that a verb writes.
//!
//! In: files, path to bytes. Out: the same on disk, where nothing else is in the way.

use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Writes files into a folder in which nothing else is.
///
/// # Errors
/// When something cannot be written, or other files are there.
pub fn put(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    refuse_others(folder, files)?;
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        }
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// A folder with other files is left alone, so that a second run leaves nothing old behind unseen.
fn refuse_others(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.keys().any(|ours| *ours == name || ours.starts_with(&format!("{name}/")))
    };
    let others: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| !is_ours(path)).collect();
    if let Some(other) = others.first() {
        bail!(
            "{} is none of the files that are written here; name an empty folder, or remove it",
            other.display()
        );
    }
    Ok(())
}

/// Whether every file of a folder is one of these, byte for byte; a folder that is not there has none.
///
/// # Errors
/// When a file is another, with its name.
pub fn same(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let mut left: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).with_context(|| path.display().to_string())?;
            left.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
            continue;
        }
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let is_same =
            files.get(&name).is_some_and(|bytes| std::fs::read(&path).is_ok_and(|there| there == *bytes));
        if !is_same {
            bail!(
                "{} is there and differs from what would be written; name another folder, and compare the two",
                path.display()
            );
        }
    }
    Ok(())
}
