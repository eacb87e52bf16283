//! The licences of everything that is linked into the program, as one text: each crate with its own files, equal texts
//! once. In: `cargo metadata`, the files of the crates and of the C library. Out: the text, or what has no licence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::binary;
use crate::workspace::{Workspace, items, text};

/// The C library is linked in too. Where Debian and Fedora keep its terms, and the text of the licence that they name.
const C_LIBRARY: [&[&str]; 2] = [
    &["/usr/share/doc/libc6-dev/copyright", "/usr/share/licenses/glibc/LICENSES"],
    &["/usr/share/common-licenses/LGPL-2.1", "/usr/share/licenses/glibc/COPYING.LIB"],
];
/// Rust's own library. The page holds its licences and those of what it is made of.
const RUST_LIBRARY: &str = "share/doc/rust/COPYRIGHT-library.html";
const RULE: &str = "================================================================================";

/// What is linked in, and under which terms.
#[derive(Debug, PartialEq)]
struct Part {
    name: String,
    licence: String,
    texts: Vec<String>,
}

/// The whole text, for the programs of some packages.
pub fn collect(workspace: &Workspace, packages: &[&str]) -> anyhow::Result<String> {
    let mut parts = crates(workspace, packages)?;
    parts.push(c_library()?);
    parts.push(rust_library(workspace)?);
    parts.push(time_zones(workspace)?);
    Ok(joined(&parts))
}

fn crates(workspace: &Workspace, packages: &[&str]) -> anyhow::Result<Vec<Part>> {
    let metadata = ["metadata", "--format-version=1", "--locked", "--filter-platform"];
    let output = workspace.cargo(&metadata).arg(binary::target()).output()?;
    ensure!(
        output.status.success(),
        "failed to read the dependencies: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata = serde_json::from_slice(&output.stdout)?;
    let apache = fs::read_to_string(workspace.root.join("LICENSE")).context("failed to read LICENSE")?;
    // The authorities are data of a crate that only the build uses.
    let linked = linked(&metadata, &[packages, &["webpki-root-certs"]].concat());
    let foreign = linked.into_iter().filter(|package| !package["source"].is_null());
    foreign.map(|package| part(package, &apache)).collect()
}

/// The packages that some packages are made of. What only builds or tests them is not part of them.
fn linked<'a>(metadata: &'a Value, roots: &[&str]) -> Vec<&'a Value> {
    let nodes: BTreeMap<&str, &Value> =
        items(&metadata["resolve"]["nodes"]).filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let by_name = |package: &&Value| roots.iter().any(|root| package["name"] == *root);
    let mut open: Vec<&str> =
        items(&metadata["packages"]).filter(by_name).filter_map(|package| package["id"].as_str()).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let dependencies = nodes.get(id).map(|node| items(&node["deps"])).into_iter().flatten();
        let is_linked =
            |dependency: &&Value| items(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
        open.extend(dependencies.filter(is_linked).filter_map(|dependency| dependency["pkg"].as_str()));
    }
    items(&metadata["packages"])
        .filter(|package| package["id"].as_str().is_some_and(|id| seen.contains(id)))
        .collect()
}

fn part(package: &Value, apache: &str) -> anyhow::Result<Part> {
    let (name, licence) = (text(&package["name"]), text(&package["license"]));
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    let mut texts = texts(manifest.parent().unwrap_or(Path::new("/")))?;
    if texts.is_empty() {
        // Published without their texts. Those of the two most frequent licences are the same for everybody.
        texts.push(match licence.as_str() {
            "Apache-2.0" => apache.to_owned(),
            // Of two to choose from, one suffices.
            either if either.split(" OR ").any(|one| one == "MIT") => mit(&holders(package)),
            other => bail!("the crate {name} has no text of its licence {other:?}: add it in {}", file!()),
        });
    }
    Ok(Part { name: format!("{name} {}", text(&package["version"])), licence, texts })
}

/// The files of a crate that look like licences.
fn texts(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_one = ["licen", "copying", "copyright", "notice", "unlicen"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_one && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim_end().to_owned())
}

fn holders(package: &Value) -> String {
    let authors: Vec<_> = items(&package["authors"]).filter_map(Value::as_str).collect();
    if authors.is_empty() {
        format!("the authors of {}", text(&package["repository"]))
    } else {
        authors.join(", ")
    }
}

fn mit(holders: &str) -> String {
    format!("Copyright (c) {holders}\n\n{}", include_str!("mit.txt").trim_end())
}

/// The table of Windows' names of time zones, which is compiled in.
fn time_zones(workspace: &Workspace) -> anyhow::Result<Part> {
    let text = read(&workspace.root.join("controller/plan/data/windows-zones.LICENSE"))?;
    let name = "names of time zones of the Unicode Common Locale Data Repository".into();
    Ok(Part { name, licence: "Unicode-3.0".into(), texts: vec![text] })
}

fn c_library() -> anyhow::Result<Part> {
    let found = |paths: &[&str]| {
        let path = paths.iter().map(Path::new).find(|path| path.is_file());
        read(path.with_context(|| {
            format!("the C library's licence is in none of {paths:?} (Debian: libc6-dev)")
        })?)
    };
    let texts = C_LIBRARY.iter().map(|paths| found(paths)).collect::<anyhow::Result<_>>()?;
    Ok(Part { name: "GNU C Library".into(), licence: "LGPL-2.1-or-later".into(), texts })
}

fn rust_library(workspace: &Workspace) -> anyhow::Result<Part> {
    let output = workspace.rustc().args(["--print", "sysroot"]).output().context("failed to run rustc")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let texts = vec![read(&folder.join(RUST_LIBRARY))?];
    Ok(Part { name: "Rust standard library".into(), licence: "MIT OR Apache-2.0".into(), texts })
}

/// Every part by name, then every text once, with those whom it is for.
fn joined(parts: &[Part]) -> String {
    let mut all = "What azureml-operator is linked with, and under which terms.\n\n".to_owned();
    let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
    for part in parts {
        let _ = writeln!(all, "{}: {}", part.name, part.licence);
        for text in &part.texts {
            match texts.iter_mut().find(|(known, _)| known == text) {
                Some((_, names)) => names.push(&part.name),
                None => texts.push((text, vec![&part.name])),
            }
        }
    }
    all += "\nThe GNU C Library may be replaced: the source of everything else, and how it is linked, is public.\n";
    for (text, names) in texts {
        let _ = write!(all, "\n{RULE}\n{}\n{RULE}\n\n{text}\n", names.join(", "));
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_builds_or_tests_a_crate_is_not_linked_into_it() {
        let package = |name: &str| json!({"id": name, "name": name});
        let edge = |to: &str, kind: Value| json!({"pkg": to, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("root"), package("linked"), package("deep"), package("built"), package("other")],
            "resolve": {"nodes": [
                {"id": "root", "deps": [edge("linked", Value::Null), edge("built", json!("build"))]},
                {"id": "linked", "deps": [edge("deep", Value::Null)]},
            ]},
        });
        let names: Vec<_> =
            linked(&metadata, &["root"]).iter().map(|package| text(&package["name"])).collect();
        assert_eq!(names, ["root", "linked", "deep"]);
    }

    #[test]
    fn a_text_that_many_share_is_printed_once_with_their_names() {
        let part = |name: &str, text: &str| Part {
            name: name.into(),
            licence: "MIT".into(),
            texts: vec![text.into()],
        };
        let all = joined(&[part("a 1", "terms"), part("b 2", "terms"), part("c 3", "others")]);
        assert_eq!(all.matches("\n\nterms\n").count(), 1, "{all}");
        assert!(all.contains(&format!("{RULE}\na 1, b 2\n{RULE}")), "{all}");
    }

    #[test]
    fn a_crate_without_a_text_of_an_unusual_licence_is_an_error() {
        let folder = env!("CARGO_MANIFEST_DIR");
        let package = |licence: &str| {
            json!({"name": "x", "version": "1", "license": licence, "authors": ["Somebody"],
            "manifest_path": format!("{folder}/src/Cargo.toml")})
        };
        assert!(
            part(&package("MIT"), "").unwrap().texts[0]
                .starts_with("Copyright (c) Somebody\n\nPermission is hereby")
        );
        let message = part(&package("Rare-1.0"), "").unwrap_err().to_string();
        assert!(message.contains("the crate x has no text of its licence \"Rare-1.0\""), "{message}");
    }
}
