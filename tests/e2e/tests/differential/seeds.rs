//! What a file takes for granted in its workspace: clusters, environments, data and components that it names and does not make.
//!
//! In: a file, those that it names, and a workspace. Out: what to put there, for both sides alike, before either begins.

use super::project::{Project, is_yaml};
use azureml_cli::convert::files::beside;
use azureml_client::ArmId;
use azureml_plan::Action;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The version of what is named by a label or without one.
const VERSION: &str = "1";

/// Everything that a file and the files that it names take for granted.
pub fn seeds(project: &Project, file: &str, workspace: &ArmId) -> Vec<Action> {
    let mut found = Found::default();
    let (mut todo, mut done) = (vec![file.to_owned()], BTreeSet::new());
    while let Some(path) = todo.pop() {
        if done.insert(path.clone())
            && let Ok(tree) = serde_saphyr::from_str::<Value>(&project.text(&path))
        {
            found.walk(&tree, &path, &mut todo);
        }
    }
    let put = |(tail, body): (String, Value)| {
        Some(Action::Put { id: ArmId::parse(&format!("{workspace}/{tail}")).ok()?, body })
    };
    found.0.into_iter().filter_map(put).collect()
}

/// What is taken for granted: the id below the workspace, and the body.
#[derive(Default)]
struct Found(BTreeMap<String, Value>);

impl Found {
    fn walk(&mut self, value: &Value, file: &str, todo: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.field(map, key, value);
                    self.walk(value, file, todo);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, file, todo)),
            Value::String(text) if is_yaml(text) => {
                todo.push(beside(file, text.strip_prefix("file:").unwrap_or(text)));
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn field(&mut self, map: &Map<String, Value>, key: &str, value: &Value) {
        let Some(text) = value.as_str() else { return };
        match key {
            "compute" | "default_compute" | "target" => self.compute(text),
            "environment" => {
                self.asset("environments", text, &json!({"image": "mcr.microsoft.com/stand-in:1"}));
            }
            "component" | "trial" => {
                self.asset("components", text, &json!({"componentSpec": component(text, map)}));
            }
            "path" => {
                let kind = map.get("type").and_then(Value::as_str).unwrap_or("uri_folder");
                let uri = "azureml://datastores/workspaceblobstore/paths/stand-in/";
                let is_data = ["uri_file", "uri_folder", "mltable"].contains(&kind);
                if is_data {
                    self.asset("data", text, &json!({"dataType": kind, "dataUri": uri}));
                }
            }
            _ => {}
        }
    }

    fn compute(&mut self, text: &str) {
        let name = text.strip_prefix("azureml:").unwrap_or(text);
        let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
        if !is_name || name.is_empty() || name == "serverless" || name == "local" {
            return;
        }
        let scale = json!({"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M"});
        let properties = json!({"vmSize": "STANDARD_DS3_V2", "osType": "Linux", "scaleSettings": scale});
        let body = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": properties}});
        self.0.insert(format!("computes/{name}"), body);
    }

    /// `azureml:<name>:<version>` or `azureml:<name>@<label>`.
    fn asset(&mut self, of: &str, text: &str, properties: &Value) {
        let Some(named) = text.strip_prefix("azureml:").filter(|name| !name.starts_with('/')) else { return };
        // Microsoft's curated environments are in a registry that all share.
        if named.starts_with("AzureML-") {
            return;
        }
        let (name, version) = named
            .split_once(':')
            .or_else(|| named.split_once('@').map(|(name, _)| (name, VERSION)))
            .unwrap_or((named, VERSION));
        self.0.insert(format!("{of}/{name}/versions/{version}"), json!({"properties": properties}));
    }
}

/// A component that takes and gives what a step binds.
fn component(text: &str, step: &Map<String, Value>) -> Value {
    let name = text.strip_prefix("azureml:").unwrap_or(text).split([':', '@']).next();
    let ports = |key: &str, port: Value| -> Map<String, Value> {
        let named = step.get(key).and_then(Value::as_object).into_iter().flat_map(Map::keys);
        named.map(|name| (name.clone(), port.clone())).collect()
    };
    json!({
        "name": name, "version": VERSION, "type": "command", "command": "true",
        "environment": "azureml://registries/azureml/environments/sklearn-1.5/versions/1",
        "inputs": ports("inputs", json!({"type": "uri_folder"})), "outputs": ports("outputs", json!({"type": "uri_folder"})),
    })
}
