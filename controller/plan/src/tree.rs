//! A folder of files as data: path, size, digest and executable bit of each, one hash of all, and what may be in it.
//!
//! In: names and digests of files, bounds. Out: a [`Tree`], or which entry is refused and why. Reads no file.

use crate::hash;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Whether it may be run as a program.
    pub is_executable: bool,
}

/// A folder of files by their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<String, File>);

impl Tree {
    /// The hash of the content: the same for equal files of any source.
    #[must_use]
    pub fn hash(&self) -> String {
        let files = self.0.iter().map(|(path, file)| {
            let mut content = json!({"sha256": file.sha256});
            if file.is_executable {
                content["executable"] = json!(true);
            }
            (path.clone(), content)
        });
        hash::content("tree", &Value::Object(files.collect::<Map<_, _>>()))
    }

    /// The bytes of all files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.values().map(|file| file.size).sum()
    }
}

/// How much a folder may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of all files, unpacked.
    pub bytes: u64,
    /// Number of files.
    pub files: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: 100 << 20, files: 10_000 }
    }
}

/// An entry of a source that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The entry's name.
    pub entry: String,
    /// What is wrong with it, and what to do.
    pub fault: Fault,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its path is absolute, has `..`, or is no name that every system reads alike.
    Path,
    /// A link that leaves the folder.
    Leaves,
    /// A link that leads to no file.
    Leads,
    /// A device or a socket: neither file nor folder nor link.
    Kind,
    /// A submodule of git.
    Submodule,
    /// A pointer of Git LFS instead of the file.
    Pointer,
    /// Two entries have this name.
    Twice,
    /// It has more patterns than are compared.
    Patterns,
    /// One of its patterns cannot be read.
    Pattern,
    /// The bytes are more than the bound.
    Bytes(u64),
    /// The files are more than the bound.
    Files(usize),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A name of somebody's choosing: what would break a line is escaped, and it is cut.
        let entry: String = self.entry.escape_debug().take(200).collect();
        match self.fault {
            Fault::Path => write!(
                f,
                "the entry {entry} is refused: write a relative path of at most {LONGEST_PATH} bytes without .., \\ or control characters"
            ),
            Fault::Leaves => write!(f, "the link {entry} leaves the folder; put the file into the folder"),
            Fault::Leads => {
                write!(f, "the link {entry} leads to no file of the folder; let it name a file, or remove it")
            }
            Fault::Kind => {
                write!(f, "the entry {entry} is no file, folder or link; remove it, or choose another path")
            }
            Fault::Submodule => write!(
                f,
                "the entry {entry} is a submodule, which is not fetched; commit its files, leave it out by ignore, or choose another path"
            ),
            Fault::Pointer => write!(
                f,
                "the entry {entry} is a pointer of Git LFS, whose content is not fetched; commit the file itself, or leave it out by ignore"
            ),
            Fault::Twice => write!(f, "there are two entries {entry}; remove one"),
            Fault::Patterns => {
                write!(f, "{entry} has more than 1,000 lines or 64 KiB; write fewer patterns")
            }
            Fault::Pattern => {
                write!(f, "{entry} has a pattern that no builder reads; correct the lines with !, [ and ]")
            }
            Fault::Bytes(most) => {
                write!(f, "with {entry} the files are larger than {most} bytes; choose a smaller folder")
            }
            Fault::Files(most) => {
                write!(f, "with {entry} there are more than {most} files; choose a smaller folder")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// The longest name of a blob in Azure.
const LONGEST_PATH: usize = 1024;

/// The path of an entry as a [`Tree`] has it: `./a//b` is `a/b`.
///
/// # Errors
/// When it leads out of the folder, or is no name that every system reads alike.
pub fn path(entry: &str) -> Result<String, Refused> {
    let refused = || Refused { entry: entry.to_owned(), fault: Fault::Path };
    if entry.starts_with('/') || entry.contains(|one: char| one == '\\' || one.is_control()) {
        return Err(refused());
    }
    let parts: Vec<&str> = entry.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path = parts.join("/");
    if path.is_empty() || path.len() > LONGEST_PATH || parts.contains(&"..") {
        return Err(refused());
    }
    Ok(path)
}

/// The path that a link names.
///
/// # Errors
/// When that is outside of the folder.
pub fn link(entry: &str, target: &str) -> Result<String, Refused> {
    let refused = |fault| Refused { entry: entry.to_owned(), fault };
    if target.starts_with('/') {
        return Err(refused(Fault::Leaves));
    }
    let mut parts: Vec<&str> = entry.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(|| refused(Fault::Leaves))?;
            }
            name => parts.push(name),
        }
    }
    path(&parts.join("/")).map_err(|_| refused(Fault::Leads))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str, bool)]) -> Tree {
        let file = |(path, text, is_executable): &(&str, &str, bool)| {
            let (size, sha256) = (text.len() as u64, hash::text(text));
            ((*path).to_owned(), File { size, sha256, is_executable: *is_executable })
        };
        Tree(files.iter().map(file).collect())
    }

    #[test]
    fn the_hash_is_of_paths_executable_bits_and_bytes_and_stays_the_same_for_ever() {
        let one = tree(&[("a.py", "x", false), ("b/c.sh", "y", true)]);
        assert_eq!(one.hash(), "5015be238b2e47a9246733d3617c7d8be8d793dd76e5446083991371bfd6d27c");
        assert_eq!(one.hash(), tree(&[("b/c.sh", "y", true), ("a.py", "x", false)]).hash());
        assert_eq!(one.size(), 2);
        for other in [
            tree(&[("a.py", "z", false), ("b/c.sh", "y", true)]),
            tree(&[("a.py", "x", true), ("b/c.sh", "y", true)]),
            tree(&[("A.py", "x", false), ("b/c.sh", "y", true)]),
            tree(&[("a.py", "x", false)]),
        ] {
            assert_ne!(one.hash(), other.hash(), "{other:?}");
        }
    }

    #[test]
    fn paths_stay_in_the_folder() {
        for (entry, reads) in [("a", "a"), ("./a//b/", "a/b"), ("a/./ü b", "a/ü b"), ("..a/b..", "..a/b..")]
        {
            assert_eq!(path(entry).unwrap(), reads);
        }
        let long = "a".repeat(LONGEST_PATH + 1);
        for entry in ["", ".", "/etc/passwd", "../a", "a/../b", "a/..", "C:\\a", "a\nb", "a\0", long.as_str()]
        {
            let refused = path(entry).unwrap_err();
            assert_eq!(refused.fault, Fault::Path, "{entry}");
            assert!(!refused.to_string().contains('\n'), "{refused}");
        }
    }

    #[test]
    fn links_stay_in_the_folder() {
        for (entry, target, to) in [("a", "b", "b"), ("a/b", "../c/./d", "c/d"), ("a/b", "c", "a/c")] {
            assert_eq!(link(entry, target).unwrap(), to);
        }
        for (entry, target, fault) in [
            ("a", "/etc/passwd", Fault::Leaves),
            ("a", "../b", Fault::Leaves),
            ("a/b", "../../c", Fault::Leaves),
            ("a/b", "..", Fault::Leads),
        ] {
            assert_eq!(link(entry, target).unwrap_err().fault, fault, "{entry} {target}");
        }
    }
}
