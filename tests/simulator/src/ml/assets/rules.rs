//! What is special to a kind of asset: what it must say, what it may refer to, and what can never change.
//! Source: the REST API specification's `x-ms-mutability` of 2024-04-01; references are checked as the service does.

use super::{Kind, show, versions};
use crate::arm::errors::{self, Refusal};
use crate::ml::Workspace;
use crate::ml::graph;
use crate::ml::refs;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// Fills in what Azure adds to a new version, and takes out what is only shown.
pub fn complete(kind: Kind, properties: &mut Map<String, Value>) {
    for read_only in ["provisioningState", "environmentType"] {
        properties.remove(read_only);
    }
    properties.entry("isAnonymous").or_insert(json!(false));
    for key in ["tags", "properties"] {
        crate::json::texts(properties.get_mut(key));
    }
    // The service's own, which goes to the version that is the latest.
    if let Some(own) = properties.get_mut("properties").and_then(Value::as_object_mut) {
        own.remove("azureml.labels");
    }
    // What is read back says so where there is none.
    if properties.get("condaFile") == Some(&json!("")) {
        properties.remove("condaFile");
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

/// Refuses to change what is fixed. A code keeps what it has, without a word; what was read back is no change.
pub fn unchanged(
    workspace: &Workspace,
    kind: Kind,
    (name, version): (&str, &str),
    want: &Map<String, Value>,
) -> Result<(), Refusal> {
    let Some(have) = workspace.assets.version(kind, name, version) else { return Ok(()) };
    let have = &have.properties;
    let differs = |field: &&str| have.get(*field) != want.get(*field);
    match kind {
        Kind::Code => Ok(()),
        Kind::Component => same_component(workspace, name, have, want),
        Kind::Environment => {
            let conda =
                |all: &Map<String, Value>| all.get("condaFile").and_then(Value::as_str).map(show::conda);
            let other = ["image", "build", "osType", "inferenceConfig", "autoRebuild"].iter().any(&differs);
            if !other && conda(have) == conda(want) {
                return Ok(());
            }
            let text = format!(
                "Environment {name} with version {version} is already registered and cannot be changed."
            );
            Err(errors::mfe(StatusCode::CONFLICT, &[], &text))
        }
        Kind::Data => match ["dataType", "dataUri", "isAnonymous"].iter().find(|field| differs(field)) {
            None => Ok(()),
            Some(field) => {
                let text = format!(
                    "A data version already exists: {name}:{version}. Its {field} cannot be changed."
                );
                Err(errors::mfe(StatusCode::CONFLICT, &["Immutable"], &text))
            }
        },
    }
}

/// A component keeps everything but what people read: its display name, its description and its tags.
fn same_component(
    workspace: &Workspace,
    name: &str,
    have: &Map<String, Value>,
    want: &Map<String, Value>,
) -> Result<(), Refusal> {
    let sent = |all: &Map<String, Value>| {
        all.get("componentSpec").and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let (old, new) = (sent(have), sent(want));
    let (mut was, mut is) = (show::rewritten(workspace, &old), show::rewritten(workspace, &new));
    // The steps of a pipeline are never shown: a client that sends back what it read has none.
    for (spec, sent) in [(&mut was, &old), (&mut is, &new)] {
        if let Some(jobs) = sent.get("jobs").filter(|_| old.contains_key("jobs") && new.contains_key("jobs"))
        {
            spec.insert("jobs".into(), jobs.clone());
        }
    }
    let free = ["display_name", "description", "tags", "name", "version", "$schema"];
    let keys = was.keys().chain(is.keys()).filter(|key| !free.contains(&key.as_str()));
    match keys.clone().find(|key| was.get(*key) != is.get(*key)) {
        None => Ok(()),
        Some(field) => {
            let text = format!(
                "Failed to update component {name} since field \"{field}\" is immutable, try specifying a new version."
            );
            let codes = ["BadArgument", "ArgumentInvalid", "UpdateComponentFailed"];
            Err(errors::mfe(StatusCode::BAD_REQUEST, &codes, &text))
        }
    }
}
