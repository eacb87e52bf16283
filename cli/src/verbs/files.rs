//! The files that arguments name.
//!
//! In: a file, a folder, or - for standard input. Out: names and texts, in order. Reads the disk.

use anyhow::{Context as _, Result};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Reads what an argument names.
///
/// # Errors
/// When it cannot be read.
pub fn read(named: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    if named == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        files.push(("standard input".to_owned(), text));
        return Ok(());
    }
    let path = Path::new(named);
    if !path.is_dir() {
        files.push((named.to_owned(), std::fs::read_to_string(path).with_context(|| named.to_owned())?));
        return Ok(());
    }
    for path in below(path).with_context(|| named.to_owned())? {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(|| name.clone())?;
        files.push((name, text));
    }
    Ok(())
}

/// The manifests below a folder, in order; hidden folders are left out.
fn below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            found.extend(below(&path)?);
        } else if path
            .extension()
            .is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|one| ending == *one))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
