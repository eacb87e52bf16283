//! Whether a graph can run: every input known and of the right type, every binding leading somewhere, no circle.

use super::node::{Binding, Node, Output};
use super::{Graph, Input, Interface};
use crate::arm::errors::{self, Refusal};
use crate::arm::ids;
use crate::ml::{Workspace, refs};
use std::collections::BTreeSet;

/// Refuses a graph that cannot run. Whether its computes are there shows when its steps start.
pub fn graph(workspace: &Workspace, graph: &Graph, inputs: &[&str], outputs: &[&str]) -> Result<(), Refusal> {
    for (node, interface) in graph.nodes.values() {
        if let Some(interface) = interface {
            against(node, interface)?;
        }
        bindings(workspace, graph, node, inputs, outputs)?;
    }
    circle(graph)
}

/// Refuses a compute that is not there; `serverless` always is.
pub fn compute(workspace: &Workspace, text: &str) -> Result<(), Refusal> {
    let missing =
        || errors::invalid(&format!("The compute target '{text}' could not be found in the workspace."));
    let (id, name) = refs::named("computes", text).ok_or_else(missing)?;
    let here = id.is_none_or(|id| id.eq_ignore_ascii_case(&workspace.id()));
    let known = name.eq_ignore_ascii_case("serverless") || workspace.computes.contains_key(&ids::key(name));
    if here && known { Ok(()) } else { Err(missing()) }
}

/// Checks what a node says against what its component takes and gives.
fn against(node: &Node, interface: &Interface) -> Result<(), Refusal> {
    for (name, binding) in &node.inputs {
        let input = interface.inputs.get(name).ok_or_else(|| {
            errors::invalid(&format!("Node '{}': its component has no input '{name}'.", node.name))
        })?;
        match binding {
            Binding::Literal(value) => {
                literal(&format!("Node '{}', input '{name}'", node.name), input, value)?;
            }
            Binding::Data(kind, _) if input.is_literal() => {
                let text =
                    format!("Node '{}': the input '{name}' is a {}, not a {kind}.", node.name, input.kind);
                return Err(errors::invalid(&text));
            }
            Binding::Data(_, _) | Binding::Parent(_) | Binding::Upstream(_, _) => {}
        }
    }
    let left_out = |(name, input): &(&String, &Input)| {
        !input.optional && input.default.is_none() && !node.inputs.contains_key(*name)
    };
    if let Some((name, _)) = interface.inputs.iter().find(left_out) {
        return Err(errors::invalid(&format!(
            "Node '{}': the required input '{name}' is missing.",
            node.name
        )));
    }
    match node.outputs.keys().find(|name| !interface.outputs.contains_key(*name)) {
        None => Ok(()),
        Some(name) => {
            Err(errors::invalid(&format!("Node '{}': its component has no output '{name}'.", node.name)))
        }
    }
}

/// Refuses a literal that is not of the input's type, or not within its limits.
pub fn literal(what: &str, input: &Input, value: &str) -> Result<(), Refusal> {
    if value.contains("${{") {
        return Ok(());
    }
    let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
    let fits = match input.kind.as_str() {
        "integer" => value.parse::<i64>().is_ok(),
        "number" => number.is_some(),
        "boolean" => ["true", "false"].contains(&value.to_ascii_lowercase().as_str()),
        "string" => true,
        _ => false,
    };
    let listed = input.values.is_empty() || input.values.iter().any(|one| one == value);
    let within =
        number.is_none_or(|n| input.min.is_none_or(|min| n >= min) && input.max.is_none_or(|max| n <= max));
    if fits && listed && within {
        return Ok(());
    }
    let text = format!("{what}: '{value}' is not a valid value of type {}.", input.kind);
    let text = if listed { text } else { format!("{text} It must be one of: {}.", input.values.join(", ")) };
    Err(errors::invalid(&text))
}

fn bindings(
    workspace: &Workspace,
    graph: &Graph,
    node: &Node,
    inputs: &[&str],
    outputs: &[&str],
) -> Result<(), Refusal> {
    let bad = |text: String| Err(errors::invalid(&format!("Node '{}': {text}", node.name)));
    for (name, binding) in &node.inputs {
        match binding {
            Binding::Parent(wanted) if !inputs.contains(&wanted.as_str()) => {
                return bad(format!(
                    "input '{name}' is bound to parent.inputs.{wanted}, which does not exist."
                ));
            }
            Binding::Upstream(other, output) => match graph.nodes.get(other) {
                None => {
                    return bad(format!(
                        "input '{name}' is bound to the node '{other}', which does not exist."
                    ));
                }
                Some((_, Some(interface))) if !interface.outputs.contains_key(output) => {
                    return bad(format!(
                        "input '{name}' is bound to '{other}.outputs.{output}', which does not exist."
                    ));
                }
                Some(_) => {}
            },
            Binding::Data(_, uri) => data(workspace, uri)?,
            Binding::Parent(_) | Binding::Literal(_) => {}
        }
    }
    for output in node.outputs.values() {
        match output {
            Output::Parent(wanted) if !outputs.contains(&wanted.as_str()) => {
                return bad(format!("an output is bound to parent.outputs.{wanted}, which does not exist."));
            }
            Output::Own(Some(uri)) => data(workspace, uri)?,
            Output::Parent(_) | Output::Own(None) => {}
        }
    }
    Ok(())
}

/// Refuses a URI that leads to a datastore, or a data asset, that is not there.
pub fn data(workspace: &Workspace, uri: &str) -> Result<(), Refusal> {
    if let Some((store, _)) = refs::datastore_path(uri) {
        return workspace.datastore(store).map(|_| ());
    }
    let asset = uri.starts_with('/') || (uri.starts_with("azureml:") && !uri.starts_with("azureml://"));
    if asset {
        crate::ml::assets::resolve(workspace, crate::ml::assets::Kind::Data, uri)?;
    }
    Ok(())
}

/// Refuses a graph in which nodes wait for each other.
fn circle(graph: &Graph) -> Result<(), Refusal> {
    let mut done = BTreeSet::<&str>::new();
    loop {
        let ready = |node: &Node| {
            !done.contains(node.name.as_str()) && node.upstream().all(|other| done.contains(other))
        };
        let next: Vec<&str> = graph
            .nodes
            .values()
            .filter(|(node, _)| ready(node))
            .map(|(node, _)| node.name.as_str())
            .collect();
        if next.is_empty() {
            break;
        }
        done.extend(next);
    }
    match graph.nodes.keys().find(|name| !done.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            Err(errors::invalid(&format!("The node '{name}' depends on itself through its inputs.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_must_be_of_their_type_and_within_their_limits() {
        let input =
            |kind: &str| Input { kind: kind.into(), min: Some(1.0), max: Some(9.0), ..Input::default() };
        for (kind, good, bad) in [
            ("integer", "3", "3.5"),
            ("number", "2.5", "x"),
            ("boolean", "True", "yes"),
            ("integer", "9", "10"),
        ] {
            assert!(literal("i", &input(kind), good).is_ok(), "{kind} takes {good}");
            assert!(literal("i", &input(kind), bad).is_err(), "{kind} refuses {bad}");
        }
        assert!(literal("i", &input("uri_folder"), "text").is_err(), "data is no literal");
        assert!(literal("i", &input("integer"), "${{creation_context.trigger_time}}").is_ok());
    }
}
