//! Which files of an image's context are left out, as Docker counts them.
//!
//! In: the text of `.dockerignore`, paths. Out: whether a path is left out. Sources: `moby/patternmatcher` and its `ignorefile`, which
//! Docker and BuildKit use.

use regex::Regex;

/// The most lines: each takes some kilobytes of memory, and is compared with each file.
const LINES: usize = 1000;

/// The patterns of a context, in their order.
pub struct DockerIgnored(Vec<Pattern>);

struct Pattern {
    takes_back: bool,
    form: Regex,
}

impl DockerIgnored {
    /// Nothing is left out.
    pub fn nothing() -> Self {
        Self(Vec::new())
    }

    /// Reads the file; the line that is no pattern where there is one, which Docker refuses as well.
    pub fn of(text: &str) -> Result<Self, BadPattern> {
        let lines = text.trim_start_matches('\u{feff}').lines();
        let lines =
            lines.filter(|line| !line.starts_with('#')).map(str::trim).filter(|line| !line.is_empty());
        if lines.clone().count() > LINES {
            return Err(BadPattern::Many);
        }
        lines.map(pattern).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a file is left out: the last pattern that matches it, or a folder above it, decides.
    pub fn has(&self, path: &str) -> bool {
        let above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        let all: Vec<&str> = above.chain([path]).collect();
        self.0.iter().fold(false, |is_out, Pattern { takes_back, form }| {
            // One that would change nothing is not looked at.
            if is_out == *takes_back && all.iter().any(|path| form.is_match(path)) {
                !takes_back
            } else {
                is_out
            }
        })
    }
}

/// What is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPattern {
    /// There are too many.
    Many,
    /// One cannot be read.
    Form,
}

fn pattern(line: &str) -> Result<Pattern, BadPattern> {
    let (takes_back, rest) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
    if rest.is_empty() {
        return Err(BadPattern::Form);
    }
    let form = Regex::new(&form(&clean(rest))).map_err(|_| BadPattern::Form)?;
    Ok(Pattern { takes_back, form })
}

/// A pattern from the root of the context, as Go's `filepath.Clean` gives it.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // Above the root there is nothing.
            ".." if pattern.starts_with('/') => {}
            name => parts.push(name),
        }
    }
    // A dot alone means no file, since none has this name.
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// The regular expression that patternmatcher makes of a pattern.
fn form(pattern: &str) -> String {
    let mut form = "^".to_owned();
    let mut signs = pattern.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '*' if signs.next_if_eq(&'*').is_some() => {
                signs.next_if_eq(&'/');
                form.push_str(if signs.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => form.push_str("[^/]*"),
            '?' => form.push_str("[^/]"),
            '\\' => match signs.next() {
                Some(next) => form.push_str(&regex::escape(&next.to_string())),
                None => form.push_str("\\\\"),
            },
            // Classes are those of regular expressions.
            '[' | ']' | '^' | '-' => form.push(sign),
            other => form.push_str(&regex::escape(&other.to_string())),
        }
    }
    form.push('$');
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As moby/patternmatcher decides them (its tests `TestMatches` and those of `.dockerignore`).
    #[test]
    fn patterns_count_as_for_docker() {
        for (text, path, is_out) in [
            ("**", "file", true),
            ("**", "dir/file", true),
            ("**/", "file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir/dir2/file", true),
            ("**/dir", "dir/file", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**/dir2/**", "dir/dir2/dir2/file.txt", true),
            ("**file", "dir/file", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/file*.txt*", "dir/dir/file.txt", true),
            ("**/**/*.txt", "dir/dir/file.txt", true),
            ("**/**/*.txt2", "dir/dir/file.txt", false),
            ("**/.foo", "bar/.foo", true),
            ("a*b.txt", "ab.txt", true),
            ("*.txt", "dir/a.txt", false),
            ("/a", "a/b", true),
            ("a/../b", "b", true),
            ("./a/", "a/x", true),
            ("../a", "a", false),
            ("file.txt", "dir/file.txt", false),
            ("a.txt", "aatxt", false),
            ("a[b-d]e", "ace", true),
            ("a[^b-d]e", "ace", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a+b(c)", "a+b(c)", true),
            ("*\n!README*\nREADME-secret.md", "README.md", false),
            ("*\n!README*\nREADME-secret.md", "README-secret.md", true),
            ("docs\n!docs/README.md", "docs/README.md", false),
            ("docs\n!docs/README.md", "docs/other.md", true),
            ("!docs\ndocs", "docs/a", true),
            ("# comment\n \n  a  ", "a", true),
            (".", "a", false),
        ] {
            assert_eq!(DockerIgnored::of(text).unwrap().has(path), is_out, "{text:?} {path}");
        }
        for text in ["!", "a[", &"a\n".repeat(LINES + 1)] {
            assert!(DockerIgnored::of(text).is_err(), "{text:.20}");
        }
    }
}
