//! `graph`: objects and what they name, or the steps of a pipeline and what they hand on.
//!
//! In: objects of files or of a cluster. Out: boxes and arrows; `write` and `svg` draw them. Pure.

pub mod svg;
pub mod write;

use crate::named::named;
use crate::thing::Thing;
use crate::why::{State, state};
use azureml_crds::ml_pipeline::MLPipelineSpec;
use azureml_plan::graph::arrows;
use std::collections::BTreeSet;

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is called: KIND/NAME, or the name of a step.
    pub name: String,
    /// How it is, where that is known.
    pub state: Option<State>,
}

/// An arrow between two boxes, by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The box that it leaves.
    pub from: usize,
    /// The box that it reaches.
    pub to: usize,
    /// What goes along it.
    pub label: Option<String>,
    /// Whether it is an order alone, along which nothing goes.
    pub is_dotted: bool,
}

/// Boxes and arrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The arrows.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// The place of a box, which is added where it is new.
    fn place(&mut self, name: &str, state: Option<State>) -> usize {
        self.nodes.iter().position(|node| node.name == name).unwrap_or_else(|| {
            self.nodes.push(Node { name: name.to_owned(), state });
            self.nodes.len() - 1
        })
    }

    fn edge(&mut self, edge: Edge) {
        if !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }

    /// The boxes to which arrows of a box lead.
    pub fn below(&self, from: usize) -> impl Iterator<Item = usize> {
        self.edges.iter().filter(move |edge| edge.from == from).map(|edge| edge.to)
    }

    /// What a box stands on, and what stands on it, however far.
    #[must_use]
    pub fn around(&self, name: &str) -> Self {
        let Some(start) = self.nodes.iter().position(|node| node.name == name) else {
            return Self::default();
        };
        let reach = |next: &dyn Fn(&Edge) -> (usize, usize)| {
            let (mut seen, mut open) = (BTreeSet::from([start]), vec![start]);
            while let Some(at) = open.pop() {
                let more = self.edges.iter().map(next).filter(|(from, _)| *from == at).map(|(_, to)| to);
                open.extend(more.filter(|to| seen.insert(*to)).collect::<Vec<_>>());
            }
            seen
        };
        let mut kept = reach(&|edge| (edge.from, edge.to));
        kept.extend(reach(&|edge| (edge.to, edge.from)));
        let mut graph = Self::default();
        for node in kept.iter().filter_map(|place| self.nodes.get(*place)) {
            graph.place(&node.name, node.state);
        }
        for edge in self.edges.iter().filter(|edge| kept.contains(&edge.from) && kept.contains(&edge.to)) {
            let place = |at: usize| kept.iter().position(|kept| *kept == at).unwrap_or_default();
            graph.edge(Edge { from: place(edge.from), to: place(edge.to), ..edge.clone() });
        }
        graph
    }
}

/// Objects, with an arrow to each object that they name. One that is named and not there is a box too. Objects of more than one namespace
/// have it in their names.
#[must_use]
pub fn of_objects(things: &[Thing]) -> Graph {
    let namespaces: BTreeSet<&str> = things.iter().map(|thing| thing.namespace.as_str()).collect();
    let title = |namespace: &str, kind: &str, name: &str| {
        let is_told = namespaces.len() > 1 || !namespaces.contains(namespace);
        if is_told { format!("{namespace}: {kind}/{name}") } else { format!("{kind}/{name}") }
    };
    let mut graph = Graph::default();
    let own = |thing: &Thing| {
        let begin = thing.object["metadata"]["generateName"].as_str().unwrap_or_default();
        let name = if thing.name.is_empty() { format!("{begin}*") } else { thing.name.clone() };
        title(&thing.namespace, &thing.kind, &name)
    };
    for thing in things {
        let is_known = !thing.conditions.is_empty();
        graph.place(&own(thing), is_known.then(|| state(thing)));
    }
    for thing in things {
        for one in named(thing.spec()) {
            let from = graph.place(&own(thing), None);
            let namespace = one.namespace(&thing.namespace);
            // What other namespaces have is not known.
            let state = namespaces.contains(namespace).then_some(State::Missing);
            let to = graph.place(&title(namespace, one.kind, &one.name), state);
            graph.edge(Edge { from, to, label: None, is_dotted: false });
        }
    }
    graph
}

/// The steps of a pipeline, with an arrow for each output that another one reads, and a dotted one for `after`.
///
/// # Errors
/// When the object is no MLPipeline of this version.
pub fn of_steps(pipeline: &Thing) -> Result<Graph, String> {
    let spec: MLPipelineSpec = serde_json::from_value(pipeline.spec().clone()).map_err(|error| {
        format!("name an MLPipeline: the steps of {} cannot be read: {error}", pipeline.id())
    })?;
    let mut graph = Graph::default();
    for step in &spec.steps {
        graph.place(&step.name, None);
    }
    for arrow in arrows(&spec.steps) {
        let (from, to) = (graph.place(&arrow.from, None), graph.place(&arrow.to, None));
        graph.edge(Edge { from, to, is_dotted: arrow.output.is_none(), label: arrow.output });
    }
    Ok(graph)
}
