//! What is special to a kind of asset: what it must say, what it may refer to, and what can never change.
//! Source: the REST API specification's `x-ms-mutability` of 2024-04-01; references are checked as the service does.

use super::{Kind, versions};
use crate::arm::errors::{self, Refusal};
use crate::ml::Workspace;
use crate::ml::graph;
use crate::ml::refs;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// The properties that are fixed when a version is made.
fn fixed(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Environment => {
            &["image", "condaFile", "build", "osType", "inferenceConfig", "autoRebuild", "isAnonymous"]
        }
        Kind::Code => &["codeUri", "isAnonymous"],
        Kind::Component => &["componentSpec", "isAnonymous"],
        Kind::Data => &["dataType", "dataUri", "isAnonymous"],
    }
}

/// Fills in what Azure adds to a new version, and takes out what is only shown.
pub fn complete(kind: Kind, properties: &mut Map<String, Value>) {
    for read_only in ["provisioningState", "environmentType"] {
        properties.remove(read_only);
    }
    properties.entry("isAnonymous").or_insert(json!(false));
    for key in ["tags", "properties"] {
        crate::json::texts(properties.get_mut(key));
    }
    if kind == Kind::Environment {
        properties.entry("osType").or_insert(json!("Linux"));
        properties.entry("autoRebuild").or_insert(json!("Disabled"));
        properties.insert("environmentType".into(), json!("UserCreated"));
    }
}

/// Refuses a version that breaks the rules of its kind, or refers to what does not exist.
pub fn check(workspace: &Workspace, kind: Kind, properties: &Map<String, Value>) -> Result<(), Refusal> {
    match kind {
        Kind::Environment => environment(properties),
        Kind::Code => needed(properties, "codeUri").map(|_| ()),
        Kind::Component => component(workspace, properties),
        Kind::Data => data(workspace, properties),
    }
}

fn needed<'a>(properties: &'a Map<String, Value>, key: &str) -> Result<&'a str, Refusal> {
    let value = properties.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    value.ok_or_else(|| errors::invalid(&format!("The {key} field is required.")))
}

fn environment(properties: &Map<String, Value>) -> Result<(), Refusal> {
    let has = |key: &str| properties.contains_key(key);
    match (has("image"), has("build"), has("condaFile")) {
        (true, true, _) => {
            Err(errors::invalid("An environment has either an image or a build context, not both."))
        }
        (false, false, _) => Err(errors::invalid("An environment needs an image or a build context.")),
        (false, true, true) => {
            Err(errors::invalid("A conda file goes with an image, not with a build context."))
        }
        (true, false, _) => needed(properties, "image").map(|_| ()),
        (false, true, false) => {
            let uri =
                properties.get("build").and_then(|build| build.get("contextUri")).and_then(Value::as_str);
            uri.map(|_| ()).ok_or_else(|| errors::invalid("The contextUri field of build is required."))
        }
    }
}

fn component(workspace: &Workspace, properties: &Map<String, Value>) -> Result<(), Refusal> {
    let spec = properties.get("componentSpec").filter(|spec| spec.is_object());
    let spec = spec.ok_or_else(|| errors::invalid("The componentSpec field is required."))?;
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "pipeline" {
        return graph::check_references(workspace, spec);
    }
    if kind == "command" && spec.get("command").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(errors::invalid("A command component needs a command."));
    }
    for (key, asset) in [("environment", Kind::Environment), ("code", Kind::Code)] {
        match spec
            .get(key)
            .or_else(|| spec.get("task").and_then(|task| task.get(key)))
            .and_then(Value::as_str)
        {
            Some(text) => drop(versions::resolve(workspace, asset, text)?),
            None if key == "environment" && kind == "command" => {
                return Err(errors::invalid("A command component needs an environment."));
            }
            None => {}
        }
    }
    Ok(())
}

fn data(workspace: &Workspace, properties: &Map<String, Value>) -> Result<(), Refusal> {
    let kind = needed(properties, "dataType")?;
    if !["uri_file", "uri_folder", "mltable"].contains(&kind) {
        return Err(errors::invalid(&format!(
            "dataType must be uri_file, uri_folder or mltable, not '{kind}'."
        )));
    }
    let uri = needed(properties, "dataUri")?;
    match refs::datastore_path(uri) {
        Some((store, _)) => workspace.datastore(store).map(|_| ()),
        None => Ok(()),
    }
}

/// Refuses to change what is fixed: 409, and 400 for the path of a code.
pub fn unchanged(
    kind: Kind,
    name: &str,
    have: &Map<String, Value>,
    want: &Map<String, Value>,
) -> Result<(), Refusal> {
    if let Some(field) = fixed(kind).iter().find(|field| have.get(**field) != want.get(**field)) {
        if kind == Kind::Code {
            let text = "Asset paths cannot be updated.";
            return Err(errors::mfe(StatusCode::BAD_REQUEST, &["Immutable", "AssetPathImmutable"], text));
        }
        let text = format!(
            "A {} with this name and version already exists: {name}. Its {field} cannot be changed; use another version.",
            kind.noun().to_lowercase()
        );
        return Err(errors::mfe(StatusCode::CONFLICT, &["Immutable"], &text));
    }
    let old = have.get("properties").and_then(Value::as_object);
    let altered = want
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .find(|(key, value)| old.and_then(|old| old.get(*key)).is_some_and(|old| old != *value));
    match altered {
        None => Ok(()),
        Some((key, _)) => {
            let text =
                format!("The property '{key}' of {name} exists; properties can be added but not altered.");
            Err(errors::mfe(StatusCode::BAD_REQUEST, &["Immutable"], &text))
        }
    }
}
