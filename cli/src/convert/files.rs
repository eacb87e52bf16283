//! Files as a conversion sees them: something that can be looked at by a path with `/`. Tests need no disk.
//!
//! In: paths. Out: paths, and what is there. Decides nothing about content.

/// What is at a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A file with these bytes.
    File(Vec<u8>),
    /// A folder with these files below it, each as a path from the folder.
    Folder(Vec<String>),
    /// Something that cannot be read, and why.
    Unreadable(String),
}

/// Where files are.
pub trait Files {
    /// What is at a path.
    fn look(&self, path: &str) -> Found;
    /// A path, there or not, as seen from the top of the repository in which it is; nothing when it is in none.
    fn in_repository(&self, path: &str) -> Option<String>;
}

/// A path as seen from the folder of a file, without `.` and, as far as possible, without `..`.
#[must_use]
pub fn beside(file: &str, path: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let joined =
        if path.starts_with('/') || folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") };
    tidy(&joined)
}

/// A path without `.`, and without `..` where a folder stands before it.
#[must_use]
pub fn tidy(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    let tidy = format!("{root}{}", parts.join("/"));
    if tidy.is_empty() { ".".to_owned() } else { tidy }
}

/// The last part of a path, without its ending.
#[must_use]
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The name of the folder in which a file is.
#[must_use]
pub fn folder(path: &str) -> Option<&str> {
    path.rsplit_once('/')
        .and_then(|(folder, _)| folder.rsplit('/').next())
        .filter(|name| !name.is_empty() && *name != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_file_that_names_it() {
        assert_eq!(beside("a/b/c.yml", "../d/./e.yml"), "a/d/e.yml");
        assert_eq!(beside("c.yml", "../e.yml"), "../e.yml");
        assert_eq!(beside("a/c.yml", "/e.yml"), "/e.yml");
        assert_eq!(beside("a/c.yml", "."), "a");
        assert_eq!(tidy("./"), ".");
        assert_eq!((stem("a/b.spec.yml"), folder("a/b.yml"), folder("b.yml")), ("b.spec", Some("a"), None));
    }
}
