//! An object that an import writes, and its text.
//!
//! In: what it says. Out: its manifest, and its file with its comments. Knows no kind.

use crate::convert::out::{Map, Out};
use crate::convert::write::yaml;
use crate::said::plain;
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
    for part in object.notes.iter().flat_map(|note| note.split('\n')) {
        // To a reader of YAML 1.1 more than a line feed ends a comment.
        let part = plain(part);
        let part = part.trim_end();
        text.push_str(if part.is_empty() { "#" } else { "# " });
        text.push_str(part);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sign_ends_a_comment() {
        let notes = vec!["a\rkind: b\u{2028}c\u{85}d\u{1b}e\nf".to_owned()];
        let (name, spec) = ("x".to_owned(), Map::new());
        let object = Object { folder: "", kind: "MLData", name, notes, is_paused: false, spec };
        assert!(text(&object).unwrap().starts_with("# a\u{fffd}kind: b c d\u{fffd}e\n# f\napiVersion:"));
    }
}
