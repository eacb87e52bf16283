//! The nodes of a pipeline job whose components exist become steps that run them.
//!
//! In: `jobs` of a job as Azure shows it. Out: steps, each using only what is above it, or what cannot be said in a step. Nothing is dropped.

use super::draft::Draft;
use super::literal::{seen, text};
use super::pipeline::step_name;
use super::ports::{address, fields};
use super::secret;
use super::shown::{is_said, said};
use crate::convert::bindings::{Binding, whole};
use crate::convert::compute::duration;
use crate::convert::order::order;
use crate::convert::out::{Map, Out};
use crate::convert::ports::{is_data, literal};
use crate::convert::read::Scalar;
use azureml_plan::time;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a node says that a step has a field for, or that means nothing.
const KNOWN: [&str; 12] = [
    "_source",
    "componentId",
    "computeId",
    "display_name",
    "environment_variables",
    "inputs",
    "limits",
    "name",
    "outputs",
    "resources",
    "type",
    "identity",
];

/// The steps of a job. What is left out of them is noted.
///
/// # Errors
/// When a node says something that a step cannot, with the node and the key.
pub fn steps(draft: &Draft<'_>, job: &Value, left_out: &mut Vec<String>) -> Result<Vec<Map>, String> {
    let nodes: Vec<(&String, &Value)> = fields(&job["jobs"]).collect();
    let uses: Vec<BTreeSet<(String, String)>> = nodes.iter().map(|(_, node)| used(&node["inputs"])).collect();
    let names = names(&nodes);
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (step, output) in uses.iter().flatten() {
        wanted.entry(step).or_default().insert(output);
    }
    let place = |key: &str| nodes.iter().position(|(name, _)| *name == key);
    let above: Vec<BTreeSet<usize>> =
        uses.iter().map(|uses| uses.iter().filter_map(|(step, _)| place(step)).collect()).collect();
    let order = order(&above).map_err(|_| "its steps wait for each other".to_owned())?;
    let mut steps = Vec::new();
    for place in order {
        let (key, node) = nodes[place];
        let step = Step { draft, key, node, names: &names };
        left_out.extend(step.left_out());
        let step = step.map(job, wanted.get(key.as_str())).map_err(|why| format!("step {key}: {why}"))?;
        steps.push(step);
    }
    Ok(steps)
}

/// The names of the steps; those that differ in capitals or signs only get a number.
fn names(nodes: &[(&String, &Value)]) -> BTreeMap<String, String> {
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (key, _) in nodes {
        let wish = step_name(key);
        let mut name = wish.clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{wish}_{number}");
        }
        names.insert((*key).clone(), name);
    }
    names
}

/// The outputs of other nodes that inputs are bound to.
fn used(inputs: &Value) -> BTreeSet<(String, String)> {
    let bound = fields(inputs).filter_map(|(_, input)| whole(input["value"].as_str()?));
    bound
        .filter_map(|binding| match binding {
            Binding::Step { job, output } => Some((job, output)),
            Binding::Input(_) | Binding::Output(_) | Binding::Unknown => None,
        })
        .collect()
}

struct Step<'a> {
    draft: &'a Draft<'a>,
    key: &'a str,
    node: &'a Value,
    names: &'a BTreeMap<String, String>,
}

impl Step<'_> {
    fn map(&self, job: &Value, wanted: Option<&BTreeSet<&str>>) -> Result<Map, String> {
        let node = self.node;
        if let Some((key, _)) =
            fields(node).find(|(key, value)| !KNOWN.contains(&key.as_str()) && is_said(value))
        {
            return Err(format!("it says {key}, which a step that runs a component has no field for"));
        }
        let component = said(&node["componentId"]).ok_or("it has no component")?;
        let component = self.draft.component(component);
        let name = self.names.get(self.key).map_or(self.key, String::as_str);
        let mut step = Map::new().with("name", name);
        step.put_some("displayName", said(&node["display_name"]));
        let kind = said(&node["type"]).unwrap_or("command");
        match kind {
            "command" => step.put("component", component),
            "pipeline" => step.put("pipeline", Map::new().with("component", component)),
            other => return Err(format!("it is of type {other}, which is not read back")),
        }
        if kind == "command" {
            step.put_some("compute", said(&node["computeId"]).and_then(|id| self.draft.compute(id)));
        }
        self.inputs(&mut step)?;
        self.outputs(&mut step, wanted)?;
        if kind == "command" {
            self.runs(&mut step, job)?;
        }
        Ok(step)
    }

    fn inputs(&self, step: &mut Map) -> Result<(), String> {
        let (mut inputs, mut types, mut modes, mut data) = (Map::new(), Map::new(), Map::new(), Map::new());
        for (name, input) in fields(&self.node["inputs"]) {
            let kind = said(&input["job_input_type"]).unwrap_or("literal").to_ascii_lowercase();
            if is_data(&kind) {
                let path = address(self.draft, name, &input["uri"])?
                    .ok_or_else(|| format!("its input {name} has no address"))?;
                let mut own = Map::new().with("type", kind).with("path", path);
                own.put_some("mode", said(&input["mode"]));
                data.put(name, own);
                continue;
            }
            let text = text(&input["value"]).ok_or_else(|| format!("its input {name} has no value"))?;
            if let Some(binding) = whole(&text) {
                inputs.put(name, self.bound(&binding, &text)?);
                modes.put_some(name, said(&input["mode"]));
                continue;
            }
            let kind = seen(&text);
            let value = literal(kind, &Scalar { text, is_plain: true });
            inputs.put(name, value.map_err(|why| format!("its input {name}: {why}"))?);
            types.put_some(name, Some(kind).filter(|kind| ["number", "boolean"].contains(kind)));
        }
        for (key, map) in [("inputs", inputs), ("inputTypes", types), ("data", data), ("inputModes", modes)] {
            step.put_full(key, map);
        }
        Ok(())
    }

    /// A binding as a step writes it.
    fn bound(&self, binding: &Binding, text: &str) -> Result<Out, String> {
        match binding {
            Binding::Input(name) => Ok(format!("${{{{parent.inputs.{name}}}}}").into()),
            Binding::Step { job, output } => {
                let step = self.names.get(job).ok_or_else(|| format!("{text} names no step"))?;
                Ok(format!("${{{{parent.jobs.{step}.outputs.{output}}}}}").into())
            }
            Binding::Output(_) | Binding::Unknown => Err(format!("{text} is no value of an input")),
        }
    }

    fn outputs(&self, step: &mut Map, wanted: Option<&BTreeSet<&str>>) -> Result<(), String> {
        let mut outputs: BTreeMap<&str, Map> = BTreeMap::new();
        for (name, output) in fields(&self.node["outputs"]) {
            if is_said(&output["name"]) || is_said(&output["version"]) {
                return Err(format!(
                    "its output {name} is registered as an asset; bind it to an output of the pipeline"
                ));
            }
            let mut own = Map::new();
            let kind = said(&output["job_output_type"])
                .or(said(&output["type"]))
                .unwrap_or("literal")
                .to_ascii_lowercase();
            own.put_some("type", Some(kind).filter(|kind| is_data(kind) && kind != "uri_folder"));
            let bound = said(&output["value"]);
            own.put_some("path", bound.map(str::to_owned).or(address(self.draft, name, &output["uri"])?));
            own.put_some("mode", said(&output["mode"]).filter(|_| bound.is_none()));
            outputs.insert(name, own);
        }
        for name in wanted.into_iter().flatten() {
            outputs.entry(name).or_default();
        }
        step.put_full(
            "outputs",
            outputs.into_iter().map(|(name, own)| (name.to_owned(), Out::Map(own))).collect(),
        );
        Ok(())
    }

    /// Environment variables.
    fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = fields(&self.node["environment_variables"]);
        all.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
    }

    /// Which variables are left out, and what to do.
    fn left_out(&self) -> Option<String> {
        let left = self.variables().filter(|(name, value)| secret::is_variable(name, value));
        let names: Vec<&str> = left.map(|(name, _)| name).collect();
        (!names.is_empty()).then(|| {
            format!(
                "Left out, since they look like secrets: the environment variables {} of the step {}. Keep their values in the workspace's Key\n\
                 Vault, and read them in the step: \"Secrets in a step\" of the documentation. Write a variable that is no secret by hand.",
                names.join(", "),
                self.names.get(self.key).map_or(self.key, String::as_str)
            )
        })
    }

    /// How it runs.
    fn runs(&self, step: &mut Map, job: &Value) -> Result<(), String> {
        let variables = self.variables().filter(|(name, value)| !secret::is_variable(name, value));
        let variables = variables.map(|(name, value)| (name.to_owned(), Out::from(value)));
        step.put_full("environmentVariables", variables.collect());
        let mut resources = Map::new();
        for (key, value) in fields(&self.node["resources"]).filter(|(_, value)| is_said(value)) {
            let number = || value.as_i64().or_else(|| value.as_str()?.parse().ok());
            match (key.as_str(), number()) {
                ("instance_count", Some(count)) => resources.put("instanceCount", count),
                ("shm_size", _) => resources.put_some("shmSize", said(value)),
                _ => return Err(format!("its resources say {key}, which a step has no field for")),
            }
        }
        step.put_full("resources", resources);
        for (key, value) in fields(&self.node["limits"]).filter(|(_, value)| is_said(value)) {
            match (key.as_str(), value.as_str().and_then(time::iso_seconds)) {
                ("timeout", Some(seconds)) => step.put("timeout", duration(seconds)),
                ("job_limits_type", _) => {}
                _ => return Err(format!("its limits say {key}, which a step has no field for")),
            }
        }
        step.put_some("identity", identity(&self.node["identity"])?.or(identity(&job["identity"])?));
        Ok(())
    }
}

/// As whom a step runs.
fn identity(body: &Value) -> Result<Option<Map>, String> {
    let Some(kind) = said(&body["identityType"]).or(said(&body["type"])) else { return Ok(None) };
    let mut own = match kind.to_ascii_lowercase().replace('_', "").as_str() {
        "amltoken" => Map::new().with("type", "AMLToken"),
        "managed" | "managedidentity" => Map::new().with("type", "Managed"),
        _ => return Err(format!("it runs as {kind}, which only a person can send")),
    };
    own.put_some("clientId", said(&body["clientId"]).or(said(&body["client_id"])));
    Ok(Some(own))
}
