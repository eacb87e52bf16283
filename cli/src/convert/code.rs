//! Files that a job, an image or a data asset takes from a folder: in place, in a ConfigMap, or in Git.
//!
//! In: a path of a file of the CLI. Out: a source as the kinds take it. What a folder holds is counted as the CLI counts it.

use super::context::{Context, Generated, Git, local};
use super::files::{Found, tidy};
use super::out::{Map, Out};
use super::read::Place;
use azureml_plan::hash;
use ignore::gitignore::GitignoreBuilder;
use std::collections::BTreeMap;

/// The most files in place, the longest of them, and all of them together, in bytes. Source: the rules of `code.files`.
const MOST: (usize, usize, usize) = (50, 65_536, 262_144);
/// The most bytes of a ConfigMap, with room for its names. Source: Kubernetes takes 1 MiB.
const MOST_OF_A_MAP: usize = 1_000_000;

/// Where files are now.
#[derive(Clone, Debug)]
pub enum Source {
    /// In the manifest.
    Inline(BTreeMap<String, String>),
    /// Elsewhere: the field of the source and what is in it.
    Elsewhere(&'static str, Out),
}

impl Source {
    /// As a field of a manifest: `code`, `build.context` or `source`.
    #[must_use]
    pub fn out(self) -> Map {
        match self {
            Self::Inline(files) => Map::new().with("files", texts(files)),
            Self::Elsewhere(field, value) => Map::new().with(field, value),
        }
    }
}

/// Files as a map of texts.
#[must_use]
pub fn texts(files: BTreeMap<String, String>) -> Map {
    files.into_iter().map(|(name, text)| (name, Out::from(text))).collect()
}

/// The source that a text means, as seen from its place.
pub fn source(ctx: &mut Context<'_>, text: &str, place: &Place, key: &str) -> Option<Source> {
    if text.starts_with("azureml:") || text.starts_with("/subscriptions/") {
        return version(ctx, text, place, key);
    }
    let Some(path) = local(text) else {
        let message =
            format!("{text:?} is no local path; clone it, and give --source git=URL@REF for where it is");
        ctx.findings.refuse(place, key, &message);
        return None;
    };
    let path = Context::beside(place, path);
    if let Some(git) = ctx.options.git.as_ref() {
        return in_git(ctx, git, &path, place, key);
    }
    let files = match ctx.files.look(&path) {
        Found::Folder(names) => contents(ctx, &path, &names),
        Found::File(bytes) => BTreeMap::from([(path.rsplit('/').next().unwrap_or(&path).to_owned(), bytes)]),
        Found::Nothing => {
            let way = "put it there, or give --source git=URL@REF if it is in a repository";
            ctx.findings.refuse(place, key, &format!("{path} is not there; {way}"));
            return None;
        }
        Found::Unreadable(why) => {
            ctx.findings.fail(place, key, &format!("{path} cannot be read: {why}"));
            return None;
        }
    };
    kept(ctx, files, &path, place, key)
}

/// A version of code that exists, which is used as it is.
fn version(ctx: &mut Context<'_>, text: &str, place: &Place, key: &str) -> Option<Source> {
    let rest = text.strip_prefix("azureml:").unwrap_or(text);
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|one| one.is_ascii_alphanumeric() || "._-".contains(one))
    };
    let is_name = rest.split_once(':').is_some_and(|(name, version)| is_part(name) && is_part(version));
    let is_id =
        rest.starts_with("/subscriptions/") && rest.contains("/codes/") && rest.contains("/versions/");
    if is_name || is_id {
        return Some(Source::Elsewhere("asset", text.into()));
    }
    let message = format!("{text:?} names no version of code; write azureml:<name>:<version>, or its ARM id");
    ctx.findings.refuse(place, key, &message);
    None
}

/// The place of a path in the repository that the user named.
fn in_git(ctx: &mut Context<'_>, git: &Git, path: &str, place: &Place, key: &str) -> Option<Source> {
    let Some(inside) = ctx.files.in_repository(path) else {
        ctx.findings.fail(
            place,
            key,
            &format!("{path} is outside of the repository; move it in, or leave --source out"),
        );
        return None;
    };
    let reference = Map::new().with(&git.kind, git.reference.as_str());
    let mut value = Map::new().with("url", git.url.as_str()).with("ref", reference);
    value.put_some("path", Some(inside).filter(|inside| inside != "."));
    Some(Source::Elsewhere("git", value.into()))
}

/// The source of one file: in a repository its folder, without what else is there.
#[must_use]
pub fn only(source: Source) -> Source {
    let Source::Elsewhere("git", Out::Map(mut git)) = source else { return source };
    if let Some(Out::Text(path)) = git.take("path") {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        git.put_some("path", Some(folder).filter(|folder| !folder.is_empty()));
        git.put("ignore", Out::List(vec!["*".into(), format!("!/{}", literally(name)).into()]));
    }
    Source::Elsewhere("git", git.into())
}

/// A name as a pattern that it alone matches.
fn literally(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for letter in name.chars() {
        if matches!(letter, '\\' | '*' | '?' | '[' | ']' | ' ') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

/// What is in a folder, without what `.amlignore`, or else `.gitignore`, leaves out. Source: `ComponentIgnoreFile` of azure-ai-ml,
/// which leaves out `__pycache__` too.
fn contents(ctx: &Context<'_>, folder: &str, names: &[String]) -> BTreeMap<String, Vec<u8>> {
    let read = |name: &str| match ctx.files.look(&tidy(&format!("{folder}/{name}"))) {
        Found::File(bytes) => Some(bytes),
        Found::Nothing | Found::Folder(_) | Found::Unreadable(_) => None,
    };
    let mut patterns = GitignoreBuilder::new("");
    let lists = [".amlignore", ".gitignore"].into_iter().find_map(read).unwrap_or_default();
    for line in String::from_utf8_lossy(&lists).lines().chain(["__pycache__", ".git"]) {
        // A pattern that is none leaves nothing out, as with Git.
        let _ = patterns.add_line(None, line);
    }
    let is_left_out = patterns.build().ok();
    let is_kept = |name: &&String| {
        is_left_out
            .as_ref()
            .is_none_or(|patterns| !patterns.matched_path_or_any_parents(name, false).is_ignore())
    };
    names.iter().filter(is_kept).filter_map(|name| Some((name.clone(), read(name)?))).collect()
}

/// Files in place where they fit, else in a ConfigMap where they fit.
fn kept(
    ctx: &mut Context<'_>,
    files: BTreeMap<String, Vec<u8>>,
    path: &str,
    place: &Place,
    key: &str,
) -> Option<Source> {
    if files.is_empty() {
        ctx.findings.refuse(place, key, &format!("{path} has no files; put them there, or remove the key"));
        return None;
    }
    if let Some(texts) = inline(&files) {
        return Some(Source::Inline(texts));
    }
    let size: usize = files.values().map(Vec::len).sum();
    let is_flat = files.keys().all(|name| is_name(name) && !name.contains('/'));
    if !is_flat || size > MOST_OF_A_MAP {
        let message = format!(
            "{path} has {} files of {size} bytes, which fit neither in place (50 texts, 256 KiB) nor in a ConfigMap (1 MB, no folders); \
             leave files out with .amlignore, or give --source git=URL@REF",
            files.len()
        );
        ctx.findings.refuse(place, key, &message);
        return None;
    }
    let name = ctx.known("code", path).unwrap_or_else(|| {
        let last: Vec<&str> = path.rsplit('/').take(2).collect();
        let name = ctx.name("ConfigMap", &last.into_iter().rev().collect::<Vec<_>>().join("-"));
        ctx.know("code", path, &name);
        ctx.generated.push(Generated { name: name.clone(), files });
        name
    });
    Some(Source::Elsewhere("configMap", Map::new().with("name", name).into()))
}

fn inline(files: &BTreeMap<String, Vec<u8>>) -> Option<BTreeMap<String, String>> {
    let (most, longest, together) = MOST;
    let size: usize = files.values().map(Vec::len).sum();
    let fits = files.len() <= most && size <= together && files.values().all(|bytes| bytes.len() <= longest);
    let text = |(name, bytes): (&String, &Vec<u8>)| {
        let text = String::from_utf8(bytes.clone()).ok().filter(|text| !text.contains('\0'))?;
        is_name(name).then(|| (name.clone(), text))
    };
    if fits { files.iter().map(text).collect() } else { None }
}

/// A name that `code.files` takes.
fn is_name(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._/-".contains(letter))
        && !name.contains("..")
}

/// Digits that name a content.
#[must_use]
pub fn digits(content: &str) -> String {
    hash::cut(&hash::text(content), 8).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_as_a_pattern_matches_itself_alone() {
        for (name, pattern) in [
            ("a.csv", "a.csv"),
            ("a b ", "a\\ b\\ "),
            ("a[1]*?.csv", "a\\[1\\]\\*\\?.csv"),
            ("a\\b", "a\\\\b"),
        ] {
            assert_eq!(literally(name), pattern, "{name}");
        }
    }
}
