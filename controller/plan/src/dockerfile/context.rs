//! The context of an image: its Dockerfile, and the names of the files beside it. Or a text, and nothing beside it.
//!
//! In: names as they were fetched. Out: whether a source of `COPY` or `ADD` is among them. Keeps no file but the one that is read.

use crate::pattern::fits;

/// The most bytes of a Dockerfile, or of a conda file.
pub const LONGEST: u64 = 64 << 10;

/// The most bytes of names that are kept; where there are more, only the build tells which file is missing.
const NAMES: usize = 256 << 10;

/// What is known of a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The file that is read: the Dockerfile that the context has, or a conda file. None where it is written in the manifest, is not there, is
    /// too long, or no text.
    pub text: Option<String>,
    /// Each name on a line, since no name has a line break; none where there are too many.
    names: Option<Box<str>>,
}

impl Context {
    /// A context with these files.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>, text: Option<String>) -> Self {
        let mut all = String::new();
        for name in names {
            all.push_str(name);
            all.push('\n');
            if all.len() > NAMES {
                return Self { text, names: None };
            }
        }
        Self { text, names: Some(all.into()) }
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.as_deref().is_some_and(str::is_empty)
    }

    /// The name of the only file; none where there are more, or none.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        let mut names = self.names.as_deref()?.lines();
        let first = names.next();
        first.filter(|_| names.next().is_none())
    }

    /// Whether a source of `COPY` or `ADD` names a file or a folder, as far as that can be told: `*` and `?` stand for anything within a
    /// name.
    #[must_use]
    pub fn has(&self, source: &str) -> bool {
        let Some(names) = &self.names else { return true };
        let wanted = parts(source);
        // Classes and what only some builders know are theirs to read.
        if wanted.is_empty() || source.contains(['[', ']']) || source.contains("**") {
            return true;
        }
        names.lines().any(|name| {
            let mut found = name.split('/');
            wanted.iter().all(|want| found.next().is_some_and(|part| fits(want, part)))
        })
    }
}

/// The names of a path from the root of the context, which `..` does not leave.
fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_files_folders_or_patterns_of_them() {
        let names = ["requirements.txt", "src/a.py", "src/lib/b.py", "Dockerfile"];
        let context = Context::of(names.into_iter(), None);
        for source in [
            ".",
            "./",
            "/",
            "*",
            "requirements.txt",
            "./requirements.txt",
            "/src",
            "src/",
            "src/lib/b.py",
            "src/*.py",
            "req*",
            "sr?/lib",
            "../src",
            "src/../src/a.py",
            "[a-z]x",
            "a/**",
        ] {
            assert!(context.has(source), "{source}");
        }
        for source in ["requirements", "src/b.py", "lib", "*.py", "src/?", "Requirements.txt", "src/a.py/x"] {
            assert!(!context.has(source), "{source}");
        }
        let long = "a".repeat(1000);
        let many = std::iter::repeat_n(long.as_str(), 300);
        assert!(Context::of(many, None).has("nothing"), "names that are too many are not kept");
    }
}
