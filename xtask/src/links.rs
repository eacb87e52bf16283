//! Links: those of the built book, with their anchors, and those of Markdown files to other files of the repository.
//! In: folders. Out: what leads nowhere. Visits nothing outside of this machine; an address outside is https, or is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// What was found in a book.
#[derive(Debug, Default)]
pub struct Found {
    pub pages: usize,
    pub inside: usize,
    pub outside: usize,
    pub wrong: Vec<String>,
}

/// Follows the links of a built book.
pub fn book(folder: &Path) -> anyhow::Result<Found> {
    let mut pages = BTreeMap::new();
    read(folder, &mut pages)?;
    let ids: BTreeMap<&PathBuf, BTreeSet<&str>> =
        pages.iter().map(|(path, text)| (path, attributes(text, "id").collect())).collect();
    let mut found = Found { pages: pages.len(), ..Found::default() };
    for (path, text) in &pages {
        for link in attributes(text, "href").chain(attributes(text, "src")) {
            let link = link.replace("&amp;", "&");
            match target(folder, path, &link) {
                Target::Outside(true) => found.outside += 1,
                Target::Outside(false) => {
                    found.wrong.push(format!("{}: {link} is not https", path.display()));
                }
                Target::Inside(file, anchor) => {
                    found.inside += 1;
                    let is_there = file.is_file()
                        && (anchor.is_empty()
                            || ids.get(&file).is_none_or(|ids| ids.contains(anchor.as_str())));
                    if !is_there {
                        found.wrong.push(format!("{}: {link}", path.display()));
                    }
                }
            }
        }
    }
    Ok(found)
}

#[derive(Debug, PartialEq)]
enum Target {
    /// An address of another place, and whether it is https.
    Outside(bool),
    /// A file, and an anchor in it.
    Inside(PathBuf, String),
}

fn target(root: &Path, page: &Path, link: &str) -> Target {
    if let Some((scheme, _)) = link.split_once(':').filter(|(scheme, _)| !scheme.contains(['/', '#'])) {
        return Target::Outside(["https", "mailto", "data"].contains(&scheme));
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = path.split('?').next().unwrap_or_default();
    let from = page.parent().unwrap_or(root);
    let file = match path {
        "" => page.to_owned(),
        path => path.strip_prefix('/').map_or_else(|| from.join(path), |path| root.join(path)),
    };
    Target::Inside(normal(&file), anchor.to_owned())
}

/// A path without `..`, which must not need a folder that is not there.
fn normal(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            result.pop();
        } else {
            result.push(part);
        }
    }
    result
}

fn read(folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            // The page for what is not found names its files from the root of a site that is not known here.
            if !path.ends_with("404.html") {
                pages.insert(path.clone(), std::fs::read_to_string(&path)?);
            }
        }
    }
    Ok(())
}

/// The values of an attribute, as mdBook writes them.
fn attributes<'a>(html: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let parts = html.split(&format!(" {name}=\"")).skip(1).collect::<Vec<_>>();
    parts.into_iter().filter_map(|part| part.split('"').next()).filter(|value| !value.is_empty())
}

/// Follows the links of Markdown files outside of the book to other files.
pub fn repository(root: &Path) -> anyhow::Result<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(root)
        .output()?;
    ensure!(listed.status.success(), "git cannot list the files");
    let mut wrong = Vec::new();
    for name in String::from_utf8(listed.stdout)?.lines().filter(|name| !name.starts_with("docs/src/")) {
        let page = root.join(name);
        let text = std::fs::read_to_string(&page).with_context(|| name.to_owned())?;
        for link in destinations(&text) {
            match target(root, &page, link) {
                Target::Outside(true) => {}
                Target::Inside(file, _) if file.exists() => {}
                Target::Outside(false) | Target::Inside(..) => wrong.push(format!("{name}: {link}")),
            }
        }
    }
    Ok(wrong)
}

/// The destinations of `[…](…)` and `src="…"`, outside of code.
fn destinations(markdown: &str) -> Vec<&str> {
    let mut is_code = false;
    let mut found = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if !is_code {
            found.extend(line.split("](").skip(1).filter_map(|part| part.split([')', ' ']).next()));
            found.extend(attributes(line, "src").chain(attributes(line, "srcset")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(pages: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in pages {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_missing_page_a_missing_anchor_and_a_bare_address_are_told() {
        let folder = scratch(&[
            (
                "index.html",
                r#"<a href="a/b.html#here"> <a href="a/b.html#gone"> <a href="no.html"> <a href="https://x.example">"#,
            ),
            (
                "a/b.html",
                r##"<h1 id="here"> <a href="../index.html"> <a href="#here"> <a href="http://x.example">"##,
            ),
        ]);
        let found = book(folder.path()).unwrap();
        let wrong: Vec<&str> =
            found.wrong.iter().filter_map(|line| line.split_once(": ")).map(|(_, link)| link).collect();
        assert_eq!(wrong, ["http://x.example is not https", "a/b.html#gone", "no.html"]);
        assert_eq!((found.pages, found.inside, found.outside), (2, 5, 1));
    }

    #[test]
    fn destinations_are_those_outside_of_code() {
        let text = "See [a](b.md#c) and <img src=\"d.svg\">.\n```\n[x](y)\n```\n[e](f.md)";
        assert_eq!(destinations(text), ["b.md#c", "d.svg", "f.md"]);
    }
}
