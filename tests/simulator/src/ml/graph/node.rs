//! One node of a pipeline, read from its body. Inside a node keys are snake_case, but for `componentId` and `computeId`.

use super::interface::scalar;
use crate::arm::errors::{self, Refusal};
use crate::ml::computes::duration;
use crate::ml::names::{self, Name};
use jiff::SignedDuration;
use regex::Regex;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Where the value of an input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The text itself.
    Literal(String),
    /// An input of the pipeline.
    Parent(String),
    /// An output of another node: (node, output).
    Upstream(String, String),
    /// Data at a URI: (type, URI).
    Data(String, String),
}

/// What an output of a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// An output of the pipeline.
    Parent(String),
    /// Its own, at a URI if one is given.
    Own(Option<String>),
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, which is its key.
    pub name: String,
    /// Its type: `command`, `pipeline`, …
    pub kind: String,
    /// What people call it.
    pub display_name: String,
    /// The component it runs.
    pub component: Option<String>,
    /// The compute it runs on, when it says so itself.
    pub compute: Option<String>,
    /// Where its inputs come from.
    pub inputs: BTreeMap<String, Binding>,
    /// What its outputs are.
    pub outputs: BTreeMap<String, Output>,
    /// Inputs and outputs that are handed on as their addresses: `inputs.raw`, `outputs.table`.
    pub direct: BTreeSet<String>,
    /// How many nodes of a cluster it takes.
    pub instances: usize,
    /// How long it may run.
    pub timeout: Option<SignedDuration>,
    /// Environment variables of its own.
    pub variables: BTreeMap<String, String>,
}

static PARENT_INPUT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\$\{\{\s*parent\.inputs\.([A-Za-z0-9_.]+)\s*\}\}$").ok());
static PARENT_OUTPUT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\$\{\{\s*parent\.outputs\.([A-Za-z0-9_.]+)\s*\}\}$").ok());
static UPSTREAM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\$\{\{\s*parent\.jobs\.([A-Za-z0-9_]+)\.outputs\.([A-Za-z0-9_]+)\s*\}\}$").ok()
});

fn capture(pattern: &LazyLock<Option<Regex>>, text: &str, group: usize) -> Option<String> {
    Some(pattern.as_ref()?.captures(text)?.get(group)?.as_str().to_owned())
}

impl Binding {
    /// Reads an input of a node, or of a job, where the keys are written in camelCase.
    pub fn read(name: &str, body: &Value) -> Result<Self, Refusal> {
        let kind =
            body.get("job_input_type").or_else(|| body.get("jobInputType")).or_else(|| body.get("type"));
        let kind = kind.and_then(Value::as_str).unwrap_or("literal").to_ascii_lowercase();
        if kind != "literal" {
            let uri =
                body.get("uri").or_else(|| body.get("path")).and_then(Value::as_str).unwrap_or_default();
            if uri.is_empty() {
                return Err(errors::invalid(&format!("The uri of input '{name}' is required.")));
            }
            return Ok(Self::Data(kind, uri.to_owned()));
        }
        let text = body.get("value").or(Some(body)).and_then(scalar).unwrap_or_default();
        if !text.contains(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return Err(errors::invalid(&format!("The value of input '{name}' must not be empty.")));
        }
        if let Some(input) = capture(&PARENT_INPUT, &text, 1) {
            return Ok(Self::Parent(input));
        }
        if let (Some(node), Some(output)) = (capture(&UPSTREAM, &text, 1), capture(&UPSTREAM, &text, 2)) {
            return Ok(Self::Upstream(node, output));
        }
        if text.contains("${{parent.") {
            return Err(errors::invalid(&format!("The binding '{text}' of input '{name}' is not valid.")));
        }
        Ok(Self::Literal(text))
    }
}

/// A limit of time: seconds in a sweep, ISO 8601 elsewhere.
fn timeout(limit: Option<&Value>) -> Option<SignedDuration> {
    let limit = limit?;
    limit.as_str().and_then(duration).or_else(|| limit.as_i64().map(SignedDuration::from_secs))
}

/// One of the values that a sweep tries, as a literal.
fn tried(name: &str, space: &Value) -> Result<Binding, Refusal> {
    let first = ["/values/0", "/min_value", "/mu"].iter().find_map(|at| space.pointer(at));
    let first = first.or_else(|| space.get("upper").map(|_| &Value::Null));
    let none = || errors::invalid(&format!("The search space of '{name}' has no values."));
    let text = first.ok_or_else(none).map(|value| scalar(value).unwrap_or_else(|| "0".into()))?;
    Ok(Binding::Literal(text))
}

/// The tables that a search for the best model reads: bindings at the node itself (`nodes.json` of Microsoft's client).
fn tables(kind: &str, body: &Map<String, Value>) -> Result<Vec<(String, Binding)>, Refusal> {
    let names = ["training_data", "validation_data", "test_data"].into_iter().filter(|_| kind == "automl");
    let given = names.filter_map(|name| Some((name, body.get(name)?)));
    given.map(|(name, value)| Ok((name.to_owned(), Binding::read(name, value)?))).collect()
}

impl Output {
    fn read(name: &str, body: &Value) -> Result<Self, Refusal> {
        let text = body.get("value").or(Some(body)).and_then(Value::as_str);
        match text {
            None => Ok(Self::Own(
                body.get("uri").or_else(|| body.get("path")).and_then(Value::as_str).map(str::to_owned),
            )),
            Some(text) => capture(&PARENT_OUTPUT, text, 1).map(Self::Parent).ok_or_else(|| {
                errors::invalid(&format!("The binding '{text}' of output '{name}' is not valid."))
            }),
        }
    }
}

fn each<T>(
    body: &Map<String, Value>,
    key: &str,
    read: impl Fn(&str, &Value) -> Result<T, Refusal>,
) -> Result<BTreeMap<String, T>, Refusal> {
    let map = body.get(key).and_then(Value::as_object);
    map.into_iter().flatten().map(|(name, value)| Ok((name.clone(), read(name, value)?))).collect()
}

/// The inputs and outputs of a node, or of a job, whose mode is `Direct`: the step is given their URI itself (API, `InputDeliveryMode`).
pub fn direct(body: &Map<String, Value>) -> BTreeSet<String> {
    let of = |key: &'static str| {
        let ports = body.get(key).and_then(Value::as_object).into_iter().flatten();
        ports.filter(|(_, port)| port["mode"] == "Direct").map(move |(name, _)| format!("{key}.{name}"))
    };
    of("inputs").chain(of("outputs")).collect()
}

impl Node {
    /// Reads a node.
    pub fn read(name: &str, body: &Value) -> Result<Self, Refusal> {
        names::check(Name::Node, name)?;
        let value = body;
        let body = body
            .as_object()
            .ok_or_else(|| errors::invalid(&format!("The node '{name}' must be an object.")))?;
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let kind = text("/type").unwrap_or_else(|| "command".into());
        let component = text("/componentId").or_else(|| text("/trial/componentId"));
        if component.is_none()
            && ["command", "pipeline", "parallel", "spark", "sweep"].contains(&kind.as_str())
        {
            return Err(errors::invalid(&format!(
                "The componentId of node '{name}' of type {kind} is required."
            )));
        }
        let instances = value.pointer("/resources/instance_count").and_then(Value::as_u64).unwrap_or(1);
        let variables =
            each(body, "environment_variables", |_, value| Ok(scalar(value).unwrap_or_default()))?;
        Ok(Self {
            name: name.to_owned(),
            display_name: text("/display_name").unwrap_or_else(|| name.to_owned()),
            component,
            // A search names it as the CLI does.
            compute: text("/computeId").or_else(|| text("/compute").filter(|_| kind == "automl")),
            // A sweep gives the other inputs of its trials by a search space (`pipeline-other-nodes` of Microsoft's client).
            inputs: each(body, "search_space", tried)?
                .into_iter()
                .chain(each(body, "inputs", Binding::read)?)
                .chain(tables(&kind, body)?)
                .collect(),
            outputs: each(body, "outputs", Output::read)?,
            direct: direct(body),
            instances: usize::try_from(instances).unwrap_or(1).max(1),
            timeout: timeout(value.pointer("/limits/timeout")),
            variables,
            kind,
        })
    }

    /// The nodes whose outputs it needs.
    pub fn upstream(&self) -> impl Iterator<Item = &str> {
        self.inputs.values().filter_map(|binding| match binding {
            Binding::Upstream(node, _) => Some(node.as_str()),
            Binding::Literal(_) | Binding::Parent(_) | Binding::Data(_, _) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn input(value: &Value) -> Option<Binding> {
        Binding::read("x", value).ok()
    }

    #[test]
    fn bindings_are_told_from_literals_and_data() {
        let literal = |text: &str| input(&json!({ "job_input_type": "literal", "value": text }));
        assert_eq!(literal("${{parent.inputs.raw}}"), Some(Binding::Parent("raw".into())));
        assert_eq!(
            literal("${{parent.jobs.prep.outputs.o}}"),
            Some(Binding::Upstream("prep".into(), "o".into()))
        );
        assert_eq!(literal("500"), Some(Binding::Literal("500".into())));
        assert!(literal("${{creation_context.trigger_time}}").is_some());
        assert_eq!(literal(""), None, "an empty value is refused");
        assert_eq!(literal("a-${{parent.inputs.raw}}"), None, "a binding is the whole value");
        let data = json!({ "jobInputType": "uri_folder", "uri": "azureml://datastores/d/paths/p" });
        assert_eq!(
            input(&data),
            Some(Binding::Data("uri_folder".into(), "azureml://datastores/d/paths/p".into()))
        );
    }

    #[test]
    fn a_sweep_gives_inputs_of_its_trials() {
        let node = json!({ "type": "sweep", "trial": { "componentId": "c:1" }, "limits": { "timeout": 3600 },
            "search_space": { "rate": { "type": "uniform", "min_value": 0.1, "max_value": 1 },
                "depth": { "type": "choice", "values": ["3", "4"] }, "seed": { "type": "randint", "upper": 9 } },
            "inputs": { "raw": { "job_input_type": "literal", "value": "${{parent.inputs.raw}}" } } });
        let read = Node::read("tune", &node).unwrap();
        let literal = |text: &str| Some(Binding::Literal(text.into()));
        assert_eq!(read.inputs.get("rate").cloned(), literal("0.1"));
        assert_eq!(read.inputs.get("depth").cloned(), literal("3"));
        assert_eq!(read.inputs.get("seed").cloned(), literal("0"));
        assert_eq!((read.inputs.len(), read.timeout), (4, Some(SignedDuration::from_hours(1))));
        let empty =
            json!({ "type": "sweep", "trial": { "componentId": "c:1" }, "search_space": { "a": {} } });
        assert!(Node::read("tune", &empty).is_err(), "values are needed");
    }

    #[test]
    fn keys_of_a_node_are_matched_exactly() {
        let node = json!({ "type": "command", "componentId": "c:1", "display_name": "Train in R",
            "environmentVariables": { "A": "1" }, "resources": { "instanceCount": 4 }, "limits": { "timeout": "PT2H" } });
        let node = Node::read("train", &node).unwrap();
        assert_eq!((node.instances, node.variables.len()), (1, 0), "the wrong case is ignored");
        assert_eq!(node.timeout, Some(SignedDuration::from_hours(2)));
        assert_eq!(node.display_name, "Train in R");
    }
}
