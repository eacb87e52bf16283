//! The objects that an object names in its spec: where, of which kind, by which name.
//!
//! In: a spec as JSON. Out: references. It asks nobody whether they are there.

use crate::objects::namespace_of;
use serde_json::Value;
use std::collections::BTreeSet;

/// An object that a spec names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The field, such as `spec.steps[0].compute.ref`.
    pub field: String,
    /// The kind.
    pub kind: &'static str,
    /// The namespace, where it is said: of an MLWorkspace that another namespace shares.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl Named {
    /// Whether it names an object, by an object of the namespace `own`.
    #[must_use]
    pub fn is(&self, own: &str, (kind, namespace, name): (&str, &str, &str)) -> bool {
        (self.kind, self.namespace(own), self.name.as_str()) == (kind, namespace, name)
    }

    /// The namespace of what an object of the namespace `own` names.
    #[must_use]
    pub fn namespace<'a>(&'a self, own: &'a str) -> &'a str {
        self.namespace.as_deref().unwrap_or(own)
    }
}

/// The namespace and the MLWorkspace of another one that an object names. That of a run or a schedule stands in its status.
fn foreign(own: &str, object: &Value) -> Option<(String, (String, String))> {
    let of = namespace_of(object, own);
    ["spec", "status"].into_iter().find_map(|part| {
        let reference = &object[part]["workspaceRef"];
        let namespace = reference["namespace"].as_str().filter(|namespace| *namespace != of)?;
        Some((of.clone(), (namespace.to_owned(), reference["name"].as_str()?.to_owned())))
    })
}

/// The MLWorkspaces of other namespaces that objects name and that are not among them, each by its namespace and name. An object without a
/// namespace is in `own`.
#[must_use]
pub fn elsewhere(own: &str, objects: &[Value]) -> BTreeSet<(String, String)> {
    let is_there = |(namespace, name): &(String, String)| {
        objects.iter().any(|one| {
            one["kind"] == "MLWorkspace"
                && one["metadata"]["name"] == **name
                && namespace_of(one, own) == *namespace
        })
    };
    let named = objects.iter().filter_map(|object| foreign(own, object)).map(|(_, workspace)| workspace);
    named.filter(|workspace| !is_there(workspace)).collect()
}

/// The namespaces whose objects name an MLWorkspace of another one.
#[must_use]
pub fn guests(own: &str, objects: &[Value]) -> BTreeSet<String> {
    objects.iter().filter_map(|object| foreign(own, object)).map(|(guest, _)| guest).collect()
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
                    let beside = fields.get("namespace").filter(|_| kind == "MLWorkspace");
                    let namespace = beside.and_then(Value::as_str).map(str::to_owned);
                    all.push(Named { field: path.concat(), kind, namespace, name: text.to_owned() });
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
