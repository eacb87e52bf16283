//! What the inputs and outputs of a pipeline are, once a job binds them: literals, and data at URIs. Pure over the
//! workspace: assets become the URIs they stand for, macros the names they stand for.

use crate::arm::errors::{self, Refusal};
use crate::ml::Workspace;
use crate::ml::assets::{self, Kind};
use crate::ml::datastores;
use crate::ml::graph::{self, Binding, Graph, Interface, Node, Output};
use crate::ml::refs;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A value that is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Text.
    Literal(String),
    /// Data: (type, URI).
    Data(String, String),
}

impl Bound {
    /// The text, or the URI.
    pub fn text(&self) -> &str {
        match self {
            Self::Literal(text) | Self::Data(_, text) => text,
        }
    }
}

/// A pipeline that is to be run.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    /// Its nodes.
    pub graph: Graph,
    /// Its inputs.
    pub inputs: BTreeMap<String, Bound>,
    /// Its outputs.
    pub outputs: BTreeMap<String, Bound>,
    /// Its inputs and outputs whose mode is `Direct`: `inputs.raw`, `outputs.table`.
    pub direct: BTreeSet<String>,
    /// The compute of nodes that name none.
    pub compute: Option<String>,
    /// The datastore of outputs that name no place.
    pub datastore: String,
    /// Whether nodes that do not need a failed one go on.
    pub goes_on: bool,
    /// Whether nothing is reused.
    pub force: bool,
}

/// The URI that stands for data: of an asset its own, anything else itself.
pub fn uri(workspace: &Workspace, text: &str, job: &str) -> Result<String, Refusal> {
    let text = text.replace("${{name}}", job);
    if let Some((store, _)) = refs::datastore_path(&text) {
        workspace.datastore(store)?;
        return Ok(text);
    }
    let is_asset = text.starts_with('/') || (text.starts_with("azureml:") && !text.starts_with("azureml://"));
    if !is_asset {
        return Ok(text);
    }
    match assets::resolve(workspace, Kind::Data, &text)? {
        None => Ok(text),
        Some((_, version)) => {
            Ok(version.properties.get("dataUri").and_then(Value::as_str).unwrap_or(&text).to_owned())
        }
    }
}

/// Binds the inputs of a job; those of a component are checked, and its defaults filled in.
pub fn inputs(
    workspace: &Workspace,
    given: Option<&Map<String, Value>>,
    interface: Option<&Interface>,
    job: &str,
) -> Result<BTreeMap<String, Bound>, Refusal> {
    let mut bound = BTreeMap::new();
    for (name, value) in given.into_iter().flatten() {
        let value = match Binding::read(name, value)? {
            Binding::Literal(text) => Bound::Literal(text),
            Binding::Data(kind, text) => Bound::Data(kind, uri(workspace, &text, job)?),
            Binding::Parent(_) | Binding::Upstream(_, _) => {
                return Err(errors::invalid(&format!(
                    "The input '{name}' of a job cannot be bound to another job."
                )));
            }
        };
        if let Some(interface) = interface {
            let input = interface.inputs.get(name);
            let input =
                input.ok_or_else(|| errors::invalid(&format!("The component has no input '{name}'.")))?;
            if let Bound::Literal(text) = &value {
                graph::literal(&format!("Input '{name}'"), input, text)?;
            }
        }
        bound.insert(name.clone(), value);
    }
    for (name, input) in interface.into_iter().flat_map(|interface| &interface.inputs) {
        match (&input.default, bound.contains_key(name) || input.optional) {
            (_, true) => {}
            (Some(default), false) => drop(bound.insert(name.clone(), Bound::Literal(default.clone()))),
            (None, false) => {
                return Err(errors::invalid(&format!("The required input '{name}' is missing.")));
            }
        }
    }
    Ok(bound)
}

/// Binds the outputs of a job: where it says, or in the default datastore.
pub fn outputs(
    workspace: &Workspace,
    given: Option<&Map<String, Value>>,
    interface: Option<&Interface>,
    (job, datastore): (&str, &str),
) -> Result<BTreeMap<String, Bound>, Refusal> {
    let mut bound = BTreeMap::new();
    for (name, kind) in interface.into_iter().flat_map(|interface| &interface.outputs) {
        bound.insert(name.clone(), Bound::Data(kind.clone(), place(datastore, job, name)));
    }
    for (name, value) in given.into_iter().flatten() {
        if interface.is_some_and(|interface| !interface.outputs.contains_key(name)) {
            return Err(errors::invalid(&format!("The component has no output '{name}'.")));
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let kind = text("jobOutputType").unwrap_or("uri_folder").to_owned();
        let at =
            text("uri").map_or_else(|| Ok(place(datastore, job, name)), |text| uri(workspace, text, job))?;
        bound.insert(name.clone(), Bound::Data(kind, at));
    }
    Ok(bound)
}

/// Where an output goes that names no place.
pub fn place(datastore: &str, job: &str, output: &str) -> String {
    let store = datastore.rsplit('/').next().unwrap_or(datastores::DEFAULT);
    format!("azureml://datastores/{store}/paths/azureml/{job}/{output}/")
}

/// Checks the literals of a job where nodes take them.
pub fn literals(graph: &Graph, inputs: &BTreeMap<String, Bound>) -> Result<(), Refusal> {
    for (node, interface) in graph.nodes.values() {
        for (name, binding) in &node.inputs {
            let (Binding::Parent(from), Some(interface)) = (binding, interface) else { continue };
            if let (Some(Bound::Literal(text)), Some(input)) = (inputs.get(from), interface.inputs.get(name))
            {
                graph::literal(
                    &format!("Input '{from}', used by node '{}' as '{name}'", node.name),
                    input,
                    text,
                )?;
            }
        }
    }
    Ok(())
}

/// The values of a node's inputs; `upstream` tells where an output of another node is.
pub fn node_inputs(
    pipeline: &Pipeline,
    node: &str,
    upstream: impl Fn(&str, &str) -> Option<Bound>,
) -> BTreeMap<String, Bound> {
    let Some((node, interface)) = pipeline.graph.nodes.get(node) else { return BTreeMap::new() };
    let value = |binding: &Binding| match binding {
        Binding::Literal(text) => Some(Bound::Literal(text.clone())),
        Binding::Data(kind, uri) => Some(Bound::Data(kind.clone(), uri.clone())),
        Binding::Parent(name) => pipeline.inputs.get(name).cloned(),
        Binding::Upstream(other, output) => upstream(other, output),
    };
    let given = node.inputs.iter().filter_map(|(name, binding)| Some((name.clone(), value(binding)?)));
    let default = |(name, input): (&String, &graph::Input)| {
        Some((name.clone(), Bound::Literal(input.default.clone()?)))
    };
    let defaults = interface.iter().flat_map(|interface| &interface.inputs).filter_map(default);
    defaults.chain(given).collect()
}

/// The inputs and outputs that a node is given as their addresses: by its own mode, or by that of what they are bound to.
pub fn direct(pipeline: &Pipeline, node: &Node) -> BTreeSet<String> {
    let is_direct = |key: String| pipeline.direct.contains(&key);
    let inputs = node.inputs.iter().filter_map(|(name, binding)| match binding {
        Binding::Parent(from) => is_direct(format!("inputs.{from}")).then(|| format!("inputs.{name}")),
        Binding::Literal(_) | Binding::Upstream(_, _) | Binding::Data(_, _) => None,
    });
    let outputs = node.outputs.iter().filter_map(|(name, output)| match output {
        Output::Parent(to) => is_direct(format!("outputs.{to}")).then(|| format!("outputs.{name}")),
        Output::Own(_) => None,
    });
    inputs.chain(outputs).chain(node.direct.iter().cloned()).collect()
}

/// Where the outputs of a node go; `run` is the id of its run.
pub fn node_outputs(pipeline: &Pipeline, node: &str, run: &str) -> BTreeMap<String, Bound> {
    let Some((node, interface)) = pipeline.graph.nodes.get(node) else { return BTreeMap::new() };
    let own = |name: &str| place(&pipeline.datastore, run, name);
    let declared = interface.iter().flat_map(|interface| &interface.outputs);
    let mut bound: BTreeMap<String, Bound> =
        declared.map(|(name, kind)| (name.clone(), Bound::Data(kind.clone(), own(name)))).collect();
    for (name, output) in &node.outputs {
        let kind = bound.get(name).and_then(|bound| match bound {
            Bound::Data(kind, _) => Some(kind.clone()),
            Bound::Literal(_) => None,
        });
        let kind = kind.unwrap_or_else(|| "uri_folder".into());
        let at = match output {
            Output::Own(uri) => uri.clone().unwrap_or_else(|| own(name)).replace("${{name}}", run),
            Output::Parent(outer) => {
                pipeline.outputs.get(outer).map_or_else(|| own(name), |outer| outer.text().to_owned())
            }
        };
        bound.insert(name.clone(), Bound::Data(kind, at));
    }
    bound
}
