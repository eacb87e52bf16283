//! Which files of a folder are left out: `.amlignore` of the folder, else its `.gitignore`, as Azure's command line counts them.
//!
//! In: the text of the file, paths. Out: whether a path is left out. Sources: azure-ai-ml 1.35.2, `IgnoreFile` in
//! `_utils/_asset_utils.py`, `ComponentIgnoreFile` in `entities/_component/code.py`.

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The files that may say it; the first that is there counts.
pub const FILES: [&str; 2] = [".amlignore", ".gitignore"];

/// The most bytes of such a file.
pub const LONGEST: usize = 64 << 10;

/// The most lines: each takes some kilobytes of memory, and is compared with each file.
const LINES: usize = 1000;

/// Left out of every folder of code.
const ALWAYS: &str = "__pycache__";

/// The patterns of a folder, in their order.
pub struct Ignored(Vec<Gitignore>);

impl Ignored {
    /// Reads the file, and more patterns behind it; none where there are too many. What is no pattern counts for nothing, as with git.
    pub fn of(text: &str, more: &[String]) -> Option<Self> {
        let lines = text.trim_start_matches('\u{feff}').lines();
        let lines = || lines.clone().chain(more.iter().map(String::as_str));
        let is_short = lines().count() <= LINES;
        is_short.then(|| Self(lines().chain([ALWAYS]).filter_map(|line| pattern(line.trim_end())).collect()))
    }

    /// Patterns of a manifest alone, of which the schema says how many there may be.
    pub fn said(patterns: &[String]) -> Self {
        Self(patterns.iter().filter_map(|line| pattern(line.trim_end())).collect())
    }

    /// Whether a file is left out: the last pattern that matches it, or a folder above it, decides. So Microsoft's client does it; git
    /// itself would not take back a file of a folder that is left out.
    pub fn has(&self, path: &str) -> bool {
        self.0.iter().fold(false, |is_out, pattern| match pattern.matched_path_or_any_parents(path, false) {
            Match::Ignore(_) => true,
            Match::Whitelist(_) => false,
            Match::None => is_out,
        })
    }
}

fn pattern(line: &str) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    builder.add_line(None, line).ok()?;
    builder.build().ok().filter(|pattern| !pattern.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which paths are left out was computed by Microsoft's client (azure-ai-ml 1.35.2).
    #[test]
    fn patterns_count_as_for_microsofts_client() {
        let ignored = Ignored::of(
            "\u{feff}# a comment\n\n*.pyc  \n/data\nout/\n!out/keep.txt\ndocs/*.md\n**/cache\n[\n",
            &[],
        )
        .unwrap();
        for (path, is_out) in [
            ("a.pyc", true),
            ("a/b.pyc", true),
            ("data", true),
            ("data/x/y.csv", true),
            ("a/data/x.csv", false),
            ("out/x", true),
            ("a/out/x", true),
            ("out/keep.txt", false),
            ("docs/a.md", true),
            ("docs/b/a.md", false),
            ("a/b/cache/x", true),
            ("main.py", false),
            ("__pycache__/main.cpython-313.pyc", true),
            ("a/__pycache__/b", true),
            ("# a comment", false),
        ] {
            assert_eq!(ignored.has(path), is_out, "{path}");
        }
        let signs = Ignored::of("a?c\n*.[ch]\n/x/**\nb/**/c\nfoo/*\n\\#h\nUp\n", &[]).unwrap();
        for path in ["abc", "x/y", "b/c", "b/q/r/c", "foo/a/b", "#h", "z.c"] {
            assert!(signs.has(path), "{path}");
        }
        for path in ["x", "up", "a/foo/b"] {
            assert!(!signs.has(path), "{path}");
        }
        let last = Ignored::of("!a.txt\na.txt", &[]).unwrap();
        assert!(last.has("a.txt"));
        let more = Ignored::of("*.md", &["!keep.md".to_owned(), "notes".to_owned()]).unwrap();
        assert!(more.has("a.md") && more.has("notes/a") && !more.has("keep.md"));
        assert!(Ignored::of(&"a\n".repeat(LINES + 1), &[]).is_none());
    }
}
