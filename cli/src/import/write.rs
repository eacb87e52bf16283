//! How an import is written: manifests in folders, the kustomization, the inventory, and a page that says what to do with them.
//!
//! In: objects and what is left over. Out: files, path to bytes. The same workspace gives the same bytes.

use super::draft::{Draft, Left};
use super::object::{path, text};
use super::others::UNASKED;
use crate::convert::out::Map;
use crate::convert::write::yaml;
use crate::said::plain;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All files.
///
/// # Errors
/// When an object cannot be expressed as YAML.
pub fn files(draft: &Draft<'_>) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    for object in &draft.objects {
        files.insert(path(object), text(object)?.into_bytes());
    }
    let resources: Vec<String> = files.keys().cloned().collect();
    let mut all =
        Map::new().with("apiVersion", "kustomize.config.k8s.io/v1beta1").with("kind", "Kustomization");
    all.put_some("namespace", draft.options.namespace.as_deref());
    all.put("resources", resources);
    files.insert("kustomization.yaml".to_owned(), yaml(&all.into())?.into_bytes());
    files.insert("INVENTORY.md".to_owned(), inventory(draft).into_bytes());
    files.insert("README.md".to_owned(), readme(draft).into_bytes());
    Ok(files)
}

fn inventory(draft: &Draft<'_>) -> String {
    let mut text = format!(
        "# What is left in {}\n\nEverything in Azure that became no manifest, why, and what to do with it.\n\n\
         | what | name | why | what to do |\n|---|---|---|---|\n",
        draft.id.name()
    );
    let mut all: Vec<&Left> = draft.left.iter().collect();
    all.sort();
    for Left { what, name, why, way } in all {
        let _ = writeln!(text, "| {} | {} | {} | {} |", cell(what), cell(name), cell(why), cell(way));
    }
    if draft.left.is_empty() {
        text.push_str("| nothing | | | |\n");
    }
    text.push_str("\n## Not looked for\n\n| what | why | what to do |\n|---|---|---|\n");
    for (what, why, way) in UNASKED {
        let _ = writeln!(text, "| {what} | {why} | {way} |");
    }
    text
}

/// A text in one cell of a table.
fn cell(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn readme(draft: &Draft<'_>) -> String {
    let mut text = format!(
        "# {}\n\nWritten by `kubectl azureml import`, which read the workspace and changed nothing.\n\n\
         | kind | objects |\n|---|---|\n",
        draft.id.name()
    );
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for object in &draft.objects {
        *counts.entry(object.kind).or_default() += 1;
    }
    for (kind, count) in counts {
        let _ = writeln!(text, "| {kind} | {count} |");
    }
    let _ = write!(
        text,
        "\nWhat became no manifest is in [INVENTORY.md](INVENTORY.md): {} lines.\n\n1. Say in `{}.yaml` how the operator signs in.{STEPS}",
        draft.left.len(),
        draft.workspace
    );
    text
}

const STEPS: &str = "
2. `kubectl azureml plan -f .` says `No changes.`: what exists is used as it is, and what the operator would make or change is held back by the
   annotation `azureml.dev/paused`.
3. `kubectl apply -k .` changes nothing in Azure.
4. Remove the annotation of one object, plan it, and apply it: `kubectl azureml plan -f .` shows each request before it is sent. Begin with
   computes, then pipelines, then schedules.
";
