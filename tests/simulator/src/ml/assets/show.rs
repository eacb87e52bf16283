//! Versions of assets as Azure shows them, which is not how they were sent: components are written anew, conda files are
//! JSON, properties of the service's own are added. Source: recorded answers (`facts/`). Pure over the workspace.

use super::{Container, Kind, Version, versions};
use crate::ml::Workspace;
use crate::ml::refs::{self, Ref};
use serde_json::{Map, Value, json};

/// A version as PUT, GET and lists show it. Its `name` is the version; the asset's name is in the id alone.
pub fn version(workspace: &Workspace, kind: Kind, container: &Container, version: &Version) -> Value {
    let mut properties = version.properties.clone();
    for (key, value) in [
        ("description", Value::Null),
        ("tags", json!({})),
        ("properties", json!({})),
        ("isAnonymous", json!(false)),
        ("isArchived", json!(false)),
    ] {
        properties.entry(key).or_insert(value);
    }
    match kind {
        Kind::Environment => environment(container, version, &mut properties),
        Kind::Component => component(workspace, &container.name, version, &mut properties),
        // Whatever was said, a code is not anonymous.
        Kind::Code => drop(properties.insert("isAnonymous".into(), json!(false))),
        Kind::Data => {}
    }
    if kind != Kind::Data {
        properties.insert("provisioningState".into(), "Succeeded".into());
    }
    json!({
        "id": versions::id(workspace, kind, &container.name, &version.name), "name": version.name,
        "type": format!("Microsoft.MachineLearningServices/workspaces/{}/versions", kind.segment()),
        "properties": properties, "systemData": version.origin.json(),
    })
}

fn environment(container: &Container, version: &Version, properties: &mut Map<String, Value>) {
    let conda = properties.get("condaFile").and_then(Value::as_str).unwrap_or_default();
    properties.insert("condaFile".into(), conda_json(conda).into());
    let anonymous = properties.get("isAnonymous") == Some(&json!(true));
    properties.insert("stage".into(), if anonymous { "Logged" } else { "Development" }.into());
    let newest = versions::latest(container).is_some_and(|newest| newest.name == version.name);
    if let Some(own) = properties.get_mut("properties").filter(|_| newest && !anonymous) {
        own["azureml.labels"] = "latest".into();
    }
}

/// A conda file as the service keeps it: indented JSON, or an empty text where there is none.
fn conda_json(text: &str) -> String {
    let read = Some(conda(text)).filter(|read| !read.is_null());
    read.and_then(|read| serde_json::to_string_pretty(&read).ok()).unwrap_or_else(|| text.to_owned())
}

/// What a conda file says, however it is written; null where it cannot be read.
pub fn conda(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_default()
}

fn component(workspace: &Workspace, name: &str, version: &Version, properties: &mut Map<String, Value>) {
    let description = properties.insert("description".into(), Value::Null).unwrap_or_default();
    let sent = properties.get("componentSpec").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut spec = rewritten(workspace, &sent);
    spec.entry("name").or_insert_with(|| name.into());
    spec.entry("version").or_insert_with(|| version.name.as_str().into());
    if !description.is_null() && description != "" {
        spec.insert("description".into(), description);
    }
    let tags = properties.get("tags").filter(|tags| tags.as_object().is_some_and(|tags| !tags.is_empty()));
    match tags {
        Some(tags) => drop(spec.insert("tags".into(), tags.clone())),
        None => drop(spec.remove("tags")),
    }
    properties.insert("componentSpec".into(), Value::Object(spec));
}

/// A `componentSpec` as the service writes it: every value is text, defaults are filled in, empty maps and what belongs
/// to the client are gone, and a pipeline has no steps.
pub fn rewritten(workspace: &Workspace, sent: &Map<String, Value>) -> Map<String, Value> {
    let pipeline = sent.get("type").and_then(Value::as_str) == Some("pipeline");
    let mut spec = Map::new();
    for (key, value) in sent {
        let steps = pipeline && key == "jobs";
        if steps || key == "_source" || key == "sourceJobId" || value.is_null() {
            continue;
        }
        let mut value = worded(value);
        match key.as_str() {
            "inputs" => {
                value.as_object_mut().into_iter().flat_map(|all| all.values_mut()).for_each(|input| {
                    if let Some(input) = input.as_object_mut() {
                        input.entry("optional").or_insert_with(|| "False".into());
                    }
                });
            }
            "environment" => value = reference(workspace, Kind::Environment, &value),
            "code" => value = reference(workspace, Kind::Code, &value),
            _ => {}
        }
        if !value.as_object().is_some_and(Map::is_empty) {
            spec.insert(key.clone(), value);
        }
    }
    let deterministic = if pipeline { "False" } else { "True" };
    spec.entry("is_deterministic").or_insert_with(|| deterministic.into());
    if !pipeline {
        let resources = spec.entry("resources").or_insert_with(|| json!({}));
        if let Some(resources) = resources.as_object_mut() {
            resources.entry("instance_count").or_insert_with(|| "1".into());
        }
    }
    spec
}

/// Numbers and booleans as the service's text: `1`, `True`; what is null is left out.
fn worded(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => if *flag { "True" } else { "False" }.into(),
        Value::Number(number) => number.to_string().into(),
        Value::Array(items) => items.iter().map(worded).collect::<Vec<_>>().into(),
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), worded(value))).collect())
        }
        Value::Null | Value::String(_) => value.clone(),
    }
}

/// A reference as the service resolves it: the id in the workspace behind `azureml:`, or that of a shared registry.
fn reference(workspace: &Workspace, kind: Kind, value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    if let Some((name, version)) = refs::curated(kind, text) {
        return format!("azureml://registries/azureml/environments/{name}/versions/{version}").into();
    }
    match (refs::asset(kind, text), versions::resolve(workspace, kind, text)) {
        (Some(Ref::Shared), _) => text.into(),
        (_, Ok(Some((name, version)))) => {
            format!("azureml:{}", versions::id(workspace, kind, name, &version.name)).into()
        }
        (_, _) => text.into(),
    }
}

/// The version that the service gives to an anonymous component, whatever the client asked for: one for equal content.
pub fn anonymous(workspace: &Workspace, properties: &Map<String, Value>) -> String {
    let sent = properties.get("componentSpec").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut spec = rewritten(workspace, &sent);
    spec.remove("version");
    let content = json!([spec, sent.get("jobs"), properties.get("tags")]);
    crate::ids::uuid_of(&content.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conda_file_comes_back_as_indented_json_or_as_an_empty_text() {
        let text = "name: base\nchannels: [conda-forge]\ndependencies:\n- python=3.11\n- pip: [pandas]\n";
        let wanted = "{\n  \"name\": \"base\",\n  \"channels\": [\n    \"conda-forge\"\n  ],\n  \"dependencies\": [\n    \
            \"python=3.11\",\n    {\n      \"pip\": [\n        \"pandas\"\n      ]\n    }\n  ]\n}";
        let value: Value = serde_json::from_str(&conda_json(text)).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(wanted).unwrap());
        assert!(conda_json(text).contains("\n  \"dependencies\": [\n    \"python=3.11\""));
        assert_eq!(conda_json(""), "");
    }

    #[test]
    fn values_become_text_as_the_service_writes_it() {
        let sent = json!({"default": 10.5, "min": 1, "optional": true, "max": null, "enum": [1, "a"]});
        let wanted = json!({"default": "10.5", "min": "1", "optional": "True", "enum": ["1", "a"]});
        assert_eq!(worded(&sent), wanted);
    }
}
