//! An object that an import writes, and its text.
//!
//! In: what it says. Out: its manifest, and its file with its comments. Knows no kind.

use crate::convert::out::{Map, Out};
use crate::convert::write::yaml;
use azureml_crds::PAUSED;
use serde_json::Value;

/// An object to be written.
#[derive(Clone, Debug)]
pub struct Object {
    /// The folder of its file.
    pub folder: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// Comments at its beginning.
    pub notes: Vec<String>,
    /// Whether the operator holds back what it would change in Azure.
    pub is_paused: bool,
    /// What it says.
    pub spec: Map,
}

/// The manifest of an object, without its comments.
#[must_use]
pub fn manifest(object: &Object) -> Value {
    Out::Map(tree(object)).json()
}

fn tree(object: &Object) -> Map {
    let mut metadata = Map::new().with("name", object.name.as_str());
    if object.is_paused {
        metadata.put("annotations", Map::new().with(PAUSED, "true"));
    }
    Map::new()
        .with("apiVersion", "azureml.dev/v1alpha1")
        .with("kind", object.kind)
        .with("metadata", metadata)
        .with("spec", object.spec.clone())
}

/// The text of an object: its comments, then its manifest.
///
/// # Errors
/// When it cannot be expressed as YAML.
pub fn text(object: &Object) -> Result<String, String> {
    let mut text = String::new();
    for line in object.notes.iter().flat_map(|note| note.lines()) {
        let line = line.trim_end();
        text.push_str(if line.is_empty() { "#" } else { "# " });
        text.push_str(line);
        text.push('\n');
    }
    Ok(format!("{text}{}", yaml(&tree(object).into())?))
}

/// The path of an object's file.
#[must_use]
pub fn path(object: &Object) -> String {
    let folder = if object.folder.is_empty() { String::new() } else { format!("{}/", object.folder) };
    format!("{folder}{}.yaml", object.name)
}
