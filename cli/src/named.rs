//! The objects that an object names in its spec: where, of which kind, by which name.
//!
//! In: a spec as JSON. Out: references. It asks nobody whether they are there.

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

/// The MLWorkspaces of other namespaces that objects name, each by its namespace and name. Those of a run or a schedule stand in its status.
#[must_use]
pub fn elsewhere(own: &str, objects: &[Value]) -> BTreeSet<(String, String)> {
    let of = |object: &Value| {
        ["spec", "status"].map(|part| {
            let reference = &object[part]["workspaceRef"];
            let namespace = reference["namespace"].as_str().filter(|namespace| *namespace != own)?;
            Some((namespace.to_owned(), reference["name"].as_str()?.to_owned()))
        })
    };
    objects.iter().flat_map(of).flatten().collect()
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
