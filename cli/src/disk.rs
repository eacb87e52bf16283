//! The disk, as a conversion sees files.
//!
//! In: paths from the folder where the program runs. Out: bytes. It writes nothing.

use azureml_cli::convert::files::{Files, Found, tidy};
use std::io::ErrorKind;
use std::path::Path;

/// Files below the folder where the program runs, and wherever a path leads.
pub struct Disk;

impl Files for Disk {
    fn look(&self, path: &str) -> Found {
        let found = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => below(Path::new(path), "").map(Found::Folder),
            Ok(_) => std::fs::read(path).map(Found::File),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => Found::Nothing,
            Err(error) => Found::Unreadable(error.to_string()),
        }
    }

    fn in_repository(&self, path: &str) -> Option<String> {
        let here = std::env::current_dir().ok()?;
        let path = tidy(&here.join(path).to_string_lossy());
        let tops = Path::new(&path).ancestors().find(|folder| folder.join(".git").exists());
        let inside = Path::new(&path).strip_prefix(tops.unwrap_or(&here)).ok()?.to_string_lossy();
        Some(if inside.is_empty() { ".".to_owned() } else { inside.into_owned() })
    }
}

/// The files below a folder, each as a path from the first one.
fn below(folder: &Path, before: &str) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        // A link to a folder is not followed: it may lead back.
        if entry.file_type()?.is_dir() {
            if name != ".git" {
                names.extend(below(&entry.path(), &format!("{name}/"))?);
            }
        } else {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
