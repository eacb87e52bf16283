//! `kubectl azureml schemas`: JSON Schemas of the kinds, by which an editor completes manifests and underlines what is wrong.
//!
//! In: the definitions of the kinds. Out: names of files and their JSON. What CEL says is not in them: `validate` says it.

use serde_json::{Value, json};

/// The schema of each kind, and one of all, by file name.
///
/// # Errors
/// When a definition cannot be made; a test of theirs proves that this does not happen.
pub fn schemas() -> Result<Vec<(String, Value)>, serde_json::Error> {
    let mut all = Vec::new();
    for definition in azureml_crds::all()? {
        let kind = definition.spec.names.kind;
        let group = definition.spec.group;
        for version in definition.spec.versions {
            let Some(schema) = version.schema.and_then(|schema| schema.open_api_v3_schema) else { continue };
            let api_version = format!("{group}/{}", version.name);
            let schema = whole(serde_json::to_value(schema)?, &kind, &api_version);
            all.push((format!("{}.json", kind.to_lowercase()), schema));
        }
    }
    let each: Vec<Value> = all.iter().map(|(name, _)| json!({"$ref": name})).collect();
    all.push(("all.json".to_owned(), json!({"$schema": DRAFT, "oneOf": each})));
    Ok(all)
}

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of an object, with what Kubernetes adds to every definition.
fn whole(mut schema: Value, kind: &str, api_version: &str) -> Value {
    strict(&mut schema);
    schema["$schema"] = json!(DRAFT);
    schema["title"] = json!(kind);
    schema["required"] = json!(["apiVersion", "kind", "metadata", "spec"]);
    schema["properties"]["apiVersion"] = json!({"const": api_version});
    schema["properties"]["kind"] = json!({"const": kind});
    schema["properties"]["metadata"] = json!({"type": "object"});
    schema
}

/// A field that a definition does not name is refused by kubectl, and by an editor with this. What Kubernetes alone reads goes.
fn strict(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    let is_open = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    fields.retain(|name, _| !name.starts_with("x-kubernetes-"));
    if fields.get("type") == Some(&json!("object")) && fields.contains_key("properties") && !is_open {
        fields.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    for (name, value) in fields.iter_mut() {
        match (name.as_str(), value) {
            ("properties", Value::Object(each)) => each.values_mut().for_each(strict),
            ("items" | "additionalProperties" | "not", inner) => strict(inner),
            ("allOf" | "anyOf" | "oneOf", Value::Array(each)) => each.iter_mut().for_each(strict),
            _ => {}
        }
    }
}
