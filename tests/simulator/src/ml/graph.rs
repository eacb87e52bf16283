//! The graph of a pipeline: its nodes with what they run, read from `jobs`, and checked against the workspace.
//! In: the free-form part of a pipeline job or pipeline component. Out: nodes, or Azure's refusal. No state, no time.

mod check;
mod interface;
mod node;

use super::Workspace;
use super::assets::{self, Kind, Version};
use super::refs::{self, Ref};
use crate::arm::errors::{self, Refusal};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub use check::{compute, literal};
pub use interface::{Input, Interface};
pub use node::{Binding, Node, Output, direct};

/// A pipeline's nodes, with the interface of what each runs.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The nodes by name, each with its component's interface; those whose component is not known here have none.
    pub nodes: BTreeMap<String, (Node, Option<Interface>)>,
}

/// Reads the nodes of a pipeline and finds their components.
pub fn read(workspace: &Workspace, jobs: &Map<String, Value>) -> Result<Graph, Refusal> {
    let mut nodes = BTreeMap::new();
    for (name, body) in jobs {
        let node = Node::read(name, body)?;
        let interface = match &node.component {
            None => None,
            Some(text) => component(workspace, text)?.map(|(_, version)| Interface::of(version)),
        };
        nodes.insert(name.clone(), (node, interface));
    }
    Ok(Graph { nodes })
}

/// Refuses the nodes of a job whose components are not there: with a 404 that is not about the job.
pub fn present(workspace: &Workspace, jobs: &Map<String, Value>) -> Result<(), Refusal> {
    let ids = jobs.values().filter_map(|node| node.get("componentId").and_then(Value::as_str));
    ids.into_iter().try_for_each(|text| present_component(workspace, text))
}

/// Refuses the component of a job that is not there.
pub fn present_component(workspace: &Workspace, text: &str) -> Result<(), Refusal> {
    let Some(Ref::Version { name, version, .. }) = refs::asset(Kind::Component, text) else { return Ok(()) };
    if component(workspace, text).is_ok() {
        return Ok(());
    }
    Err(errors::no_component(text.strip_prefix("azureml:").unwrap_or(text), name, version))
}

/// The component that a reference names; `Ok(None)` when it is in a shared registry.
pub fn component<'a>(
    workspace: &'a Workspace,
    text: &str,
) -> Result<Option<(&'a str, &'a Version)>, Refusal> {
    assets::resolve(workspace, Kind::Component, text)
}

/// The names in a map of a spec or body.
pub fn names(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// Checks the graph of a pipeline component: every reference must lead somewhere.
pub fn check_references(workspace: &Workspace, spec: &Value) -> Result<(), Refusal> {
    if let Some(job) = spec.get("sourceJobId").and_then(Value::as_str) {
        return Err(errors::invalid(&format!(
            "The simulator makes pipeline components of a graph in componentSpec.jobs, not of the job '{job}'."
        )));
    }
    let jobs = spec.get("jobs").and_then(Value::as_object);
    let jobs = jobs.ok_or_else(|| errors::invalid("A pipeline component needs jobs."))?;
    let graph = read(workspace, jobs)?;
    check::graph(workspace, &graph, &names(spec.get("inputs")), &names(spec.get("outputs")))
}

/// Checks the graph of a job against the names of its inputs and outputs.
pub fn check_job(
    workspace: &Workspace,
    graph: &Graph,
    inputs: &[&str],
    outputs: &[&str],
) -> Result<(), Refusal> {
    check::graph(workspace, graph, inputs, outputs)
}
