//! Pages of the book that are written by a program: one for each kind, the index of decisions, drawings, the README of the chart.
//! In: the definitions, the examples, `docs/adr`, `docs/figures`. Out: Markdown. Adds nothing that the sources do not say.

mod chart;
mod crates;
mod decisions;
mod fields;
mod figures;
mod kind;
mod svg;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use crate::workspace::Workspace;

/// File names with their content.
pub type Files = BTreeMap<String, String>;

/// Where the pages of the kinds are.
pub const KINDS: &str = "docs/src/reference/kinds";
/// Where the chart is, whose README is written.
pub const CHART: &str = "charts/azureml-operator";
/// Where the index of decisions is.
pub const DECISIONS: &str = "docs/src/decisions";

/// Where drawings are.
pub const DRAWINGS: &str = "docs/src/images/drawn";

/// What stands above every page.
const HEADER: &str = "<!-- Written by `cargo xtask crds`; changes belong in what it is made of. -->\n\n";

/// The pages of the kinds.
pub fn kinds(root: &Path) -> anyhow::Result<Files> {
    let examples = examples(&root.join("examples"))?;
    let mut files = Files::new();
    for definition in azureml_crds::all()? {
        let name = format!("{}.md", definition.spec.names.kind.to_lowercase());
        let page = kind::page(&definition, &examples).with_context(|| format!("failed to write {name}"))?;
        files.insert(name, format!("{HEADER}{page}"));
    }
    Ok(files)
}

/// The README of the chart.
pub fn chart(root: &Path) -> anyhow::Result<Files> {
    let file = root.join(CHART).join("values.yaml");
    let values =
        std::fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
    Ok(Files::from([("README.md".to_owned(), chart::readme(&values))]))
}

/// The index of decisions.
pub fn decisions(root: &Path) -> anyhow::Result<Files> {
    let page = decisions::page(&root.join("docs/adr"))?;
    Ok(Files::from([("index.md".to_owned(), format!("{HEADER}{page}"))]))
}

/// The drawing of the crates, and the figures.
pub fn drawings(workspace: &Workspace) -> anyhow::Result<Files> {
    let mut files = figures::figures(&workspace.root)?;
    files.insert("crates.svg".to_owned(), crates::drawing(workspace)?);
    Ok(files)
}

/// Every document of every example, in the order of their files.
fn examples(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            for inner in std::fs::read_dir(&path)? {
                files.push(inner?.path());
            }
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    // The story of the R model first: it is the one that the tutorial tells.
    files.sort_by_key(|path| (!path.to_string_lossy().contains("r-gbm"), path.clone()));
    let mut documents = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        documents.extend(text.split("\n---\n").map(|document| document.trim().to_owned()));
    }
    Ok(documents)
}
