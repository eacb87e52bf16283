//! One command that is to be run: of a component's version, or of a stand-alone command job.

use super::bind::Bound;
use crate::ids::sha256;
use crate::ml::assets::Version;
use crate::ml::graph::Node;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a step is to do, and with what.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Its type: `command`, `sweep`, …
    pub kind: String,
    /// The component's name.
    pub component: String,
    /// The id of the component's version.
    pub component_id: Option<String>,
    /// The command, with its bindings.
    pub command: String,
    /// The id of the code, when it has some.
    pub code: Option<String>,
    /// The id of the environment.
    pub environment: String,
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Inputs by name.
    pub inputs: BTreeMap<String, Bound>,
    /// Outputs by name.
    pub outputs: BTreeMap<String, Bound>,
    /// Inputs and outputs that it is given as their addresses: `inputs.raw`, `outputs.table`.
    pub direct: BTreeSet<String>,
    /// The compute it runs on; `serverless` and none need no nodes.
    pub compute: Option<String>,
    /// How many nodes it takes.
    pub instances: usize,
    /// How long it may run.
    pub timeout: Option<jiff::SignedDuration>,
    /// What it does, as a hash, when the same again may be reused.
    pub reuse: Option<String>,
}

fn id(text: &str) -> String {
    text.strip_prefix("azureml:").filter(|rest| rest.starts_with('/')).unwrap_or(text).to_owned()
}

impl Step {
    /// The step of a node whose component is registered here; without one it is opaque.
    pub fn of_node(node: &Node, component: Option<(&str, &Version, String)>) -> Self {
        let mut step = Self {
            kind: node.kind.clone(),
            component: node.name.clone(),
            variables: node.variables.clone(),
            instances: node.instances,
            timeout: node.timeout,
            ..Self::default()
        };
        let Some((name, version, component_id)) = component else { return step };
        let spec = version.properties.get("componentSpec").cloned().unwrap_or_default();
        let text = |pointer: &str| crate::json::text(&spec, pointer).to_owned();
        name.clone_into(&mut step.component);
        step.component_id = Some(component_id);
        step.command = text("/command");
        step.code = Some(id(&text("/code"))).filter(|code| !code.is_empty());
        step.environment = id(&text("/environment"));
        for (key, value) in spec.get("environment_variables").and_then(Value::as_object).into_iter().flatten()
        {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            step.variables.entry(key.clone()).or_insert(value);
        }
        step
    }

    /// The step of a stand-alone command job.
    pub fn of_job(body: &Map<String, Value>) -> Self {
        let value = Value::Object(body.clone());
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let variables = body.get("environmentVariables").and_then(Value::as_object);
        let instances = value.pointer("/resources/instanceCount").and_then(Value::as_u64).unwrap_or(1);
        Self {
            kind: "command".into(),
            component: text("/displayName").unwrap_or_default(),
            command: text("/command").unwrap_or_default(),
            code: text("/codeId"),
            environment: text("/environmentId").unwrap_or_default(),
            variables: variables
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            compute: text("/computeId"),
            instances: usize::try_from(instances).unwrap_or(1).max(1),
            timeout: text("/limits/timeout").as_deref().and_then(crate::ml::computes::duration),
            ..Self::default()
        }
    }

    /// Notes what the step does, so that the same again can be reused.
    pub fn remember(&mut self, deterministic: bool) {
        let inputs: BTreeMap<&str, &str> =
            self.inputs.iter().map(|(name, bound)| (name.as_str(), bound.text())).collect();
        let outputs: Vec<&String> = self.outputs.keys().collect();
        let what = json!([
            self.component_id,
            self.command,
            self.code,
            self.environment,
            self.variables,
            inputs,
            outputs
        ]);
        self.reuse =
            (deterministic && self.component_id.is_some()).then(|| sha256(what.to_string().as_bytes()));
    }

    /// The step in the resource manager's form, as a command job.
    pub fn body(&self, display_name: &str, experiment: &str) -> Map<String, Value> {
        let data = |kind: &str, text: &str, key: &str, literal: bool| {
            if literal {
                json!({ key: "literal", "value": text })
            } else {
                json!({ key: kind, "uri": text, "mode": if key == "jobInputType" { "ReadOnlyMount" } else { "ReadWriteMount" } })
            }
        };
        let each = |map: &BTreeMap<String, Bound>, key: &str| -> Map<String, Value> {
            let one = |bound: &Bound| match bound {
                Bound::Literal(text) => data("", text, key, true),
                Bound::Data(kind, uri) => data(kind, uri, key, false),
            };
            map.iter().map(|(name, bound)| (name.clone(), one(bound))).collect()
        };
        let command = if self.command.is_empty() { self.kind.as_str() } else { self.command.as_str() };
        let mut body = json!({
            "jobType": "Command", "displayName": display_name, "experimentName": experiment, "isArchived": false,
            "command": command, "environmentId": self.environment, "environmentVariables": self.variables,
            "inputs": each(&self.inputs, "jobInputType"), "outputs": each(&self.outputs, "jobOutputType"),
            "resources": { "instanceCount": self.instances }, "tags": {}, "properties": {},
        });
        for (key, value) in
            [("codeId", &self.code), ("componentId", &self.component_id), ("computeId", &self.compute)]
        {
            if let Some(value) = value {
                body[key] = value.as_str().into();
            }
        }
        body.as_object().cloned().unwrap_or_default()
    }
}
