//! The documents of a file, each with what Kubernetes reads first: version, kind, name.
//!
//! In: the text of a file. Out: documents, those within a `List` too; or why the file cannot be read.

use super::scalar::json;
use crate::convert::read::{self, Node, Unreadable};
use azureml_plan::InvalidSpec;
use serde_json::{Value, json};

/// The group of our kinds.
pub(super) const GROUP: &str = azureml_crds::GROUP;

/// One document.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// Group and version.
    pub(super) api_version: String,
    /// The kind.
    pub(super) kind: String,
    /// The namespace; empty where none is written.
    pub(super) namespace: String,
    /// The name, or what a name is generated from.
    pub(super) name: String,
    /// What is wanted.
    pub(super) spec: Value,
    /// Where everything is.
    pub(super) node: Node,
}

impl Document {
    /// Whether it is of one of our kinds, in whatever version.
    pub(super) fn is_ours(&self) -> bool {
        self.api_version.split('/').next() == Some(GROUP)
    }

    /// The object as people name it.
    pub(super) fn object(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// What is wrong with the name.
    pub(super) fn name_faults(&self) -> Vec<InvalidSpec> {
        let is_part = |part: &str| {
            let is_end = |one: Option<char>| one.is_some_and(|one| one.is_ascii_alphanumeric());
            is_end(part.chars().next()) && is_end(part.chars().last())
        };
        let is_legal = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "-.".contains(one);
        let is_name =
            self.name.len() <= 253 && self.name.chars().all(is_legal) && self.name.split('.').all(is_part);
        if is_name {
            return Vec::new();
        }
        let message = format!(
            "{:?} is no name of an object; use lower-case letters, digits, - and ., from a letter or digit to another, at most 253",
            self.name
        );
        vec![InvalidSpec::new("metadata.name", message)]
    }
}

/// The documents of a file.
///
/// # Errors
/// When the text is not YAML.
pub(super) fn documents(file: &str, text: &str) -> Result<Vec<Document>, Unreadable> {
    let nodes = read::documents(file, text)?;
    let is_written = |node: &Node| !matches!(node.value, read::Value::Null);
    Ok(nodes.into_iter().filter(is_written).flat_map(of_node).collect())
}

fn of_node(node: Node) -> Vec<Document> {
    let whole = json(&node);
    if whole["kind"] == "List" {
        let items = entry(&node, "items").map(|items| match &items.value {
            read::Value::List(items) => items.clone(),
            read::Value::Null | read::Value::Scalar(_) | read::Value::Map(_) => Vec::new(),
        });
        return items.unwrap_or_default().into_iter().flat_map(of_node).collect();
    }
    let text = |pointer: &str| whole.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let generated = text("/metadata/generateName").trim_end_matches(['-', '.']).to_owned();
    let name = Some(text("/metadata/name")).filter(|name| !name.is_empty()).unwrap_or(generated);
    let spec = whole.get("spec").cloned().unwrap_or_else(|| json!({}));
    let (api_version, kind, namespace) = (text("/apiVersion"), text("/kind"), text("/metadata/namespace"));
    vec![Document { api_version, kind, namespace, name, spec, node }]
}

fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let read::Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
}
