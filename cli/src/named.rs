//! The objects that an object names in its spec: where, of which kind, by which name.
//!
//! In: a spec as JSON. Out: references. It asks nobody whether they are there.

use serde_json::Value;

/// An object that a spec names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The field, such as `spec.steps[0].compute.ref`.
    pub field: String,
    /// The kind.
    pub kind: &'static str,
    /// The name.
    pub name: String,
}

/// The objects that a spec names, in the order of its fields.
#[must_use]
pub fn named(spec: &Value) -> Vec<Named> {
    let mut all = Vec::new();
    walk(spec, &mut vec!["spec".to_owned()], &mut all);
    all
}

fn walk(value: &Value, path: &mut Vec<String>, all: &mut Vec<Named>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push(format!(".{name}"));
                if let (Some(kind), Some(text)) = (kind(path), value.as_str()) {
                    all.push(Named { field: path.concat(), kind, name: text.to_owned() });
                }
                walk(value, path, all);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                path.push(format!("[{place}]"));
                walk(item, path, all);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The kind that a field names.
fn kind(path: &[String]) -> Option<&'static str> {
    match path.iter().rev().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [".name", ".workspaceRef", ..] => Some("MLWorkspace"),
        [".name", ".pipelineRef", ..] | [".ref", ".pipeline", ..] => Some("MLPipeline"),
        [".ref", ".compute", ..] => Some("MLCompute"),
        [".ref", ".environment", ..] => Some("MLEnvironment"),
        [".ref", _, ".inputs" | ".data", ..] => Some("MLData"),
        _ => None,
    }
}
