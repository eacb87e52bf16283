//! Boxes and arrows as text: a tree for a terminal, Mermaid, and the language of Graphviz.
//!
//! In: a graph. Out: text. Pure; a circle ends where it closes.

use super::{Graph, Node};
use crate::said::{Colour, coloured};
use crate::why::State;
use std::fmt::Write as _;

/// The colour of a state, and its word.
fn told(node: &Node) -> Option<(Colour, &'static str)> {
    match node.state? {
        State::Well => Some((Colour::Green, "ready")),
        State::Waits | State::NotObserved => Some((Colour::Yellow, "waits")),
        State::Stalled => Some((Colour::Red, "stalled")),
        State::Missing => Some((Colour::Red, "not here")),
        State::Circle | State::Told => None,
    }
}

/// A tree: what no arrow reaches stands at the left, and below it where its arrows lead.
#[must_use]
pub fn tree(graph: &Graph, is_coloured: bool) -> String {
    let mut tree = Tree { graph, is_coloured, out: String::new(), told: Vec::new() };
    let is_root = |place: &usize| graph.edges.iter().all(|edge| edge.to != *place);
    let places = || 0..graph.nodes.len();
    for place in places().filter(is_root).collect::<Vec<_>>() {
        tree.branch(place, "", "");
    }
    // What is left stands in circles.
    for place in places() {
        if !tree.told.contains(&place) {
            tree.branch(place, "", "");
        }
    }
    tree.out
}

struct Tree<'a> {
    graph: &'a Graph,
    is_coloured: bool,
    out: String,
    told: Vec<usize>,
}

impl Tree<'_> {
    fn branch(&mut self, place: usize, sign: &str, indent: &str) {
        let Some(node) = self.graph.nodes.get(place) else { return };
        let _ = write!(self.out, "{sign}{}", node.name);
        if let Some((colour, word)) = told(node) {
            let _ = write!(self.out, " {}", coloured(&format!("({word})"), colour, self.is_coloured));
        }
        let below: Vec<usize> = self.graph.below(place).collect();
        if self.told.contains(&place) {
            self.out += if below.is_empty() { "\n" } else { " ...\n" };
            return;
        }
        self.told.push(place);
        self.out.push('\n');
        for (number, next) in below.iter().enumerate() {
            let is_last = number + 1 == below.len();
            let (sign, further) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.branch(*next, &format!("{indent}{sign}"), &format!("{indent}{further}"));
        }
    }
}

/// A Mermaid flowchart.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    for (place, node) in graph.nodes.iter().enumerate() {
        let class = match node.state {
            Some(State::Missing) => ":::missing",
            Some(State::Stalled) => ":::stalled",
            Some(State::Waits | State::NotObserved) => ":::waits",
            _ => "",
        };
        let _ = writeln!(out, "  n{place}[\"{}\"]{class}", node.name.replace('"', "#quot;"));
    }
    for edge in &graph.edges {
        let arrow = if edge.is_dotted { "-.->" } else { "-->" };
        let label = edge.label.as_ref().map(|label| format!("|{label}|")).unwrap_or_default();
        let _ = writeln!(out, "  n{} {arrow}{label} n{}", edge.from, edge.to);
    }
    for (class, style) in [
        ("missing", "stroke:#c0392b,stroke-dasharray:4"),
        ("stalled", "stroke:#c0392b,stroke-width:2px"),
        ("waits", "stroke:#b7791f,stroke-width:2px"),
    ] {
        if out.contains(&format!(":::{class}")) {
            let _ = writeln!(out, "  classDef {class} {style}");
        }
    }
    out
}

/// A digraph of Graphviz.
#[must_use]
pub fn dot(graph: &Graph) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph azureml {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for node in &graph.nodes {
        let style = match node.state {
            Some(State::Missing) => " [style=\"rounded,dashed\", color=red]",
            Some(State::Stalled) => " [color=red]",
            Some(State::Waits | State::NotObserved) => " [color=orange]",
            _ => "",
        };
        let _ = writeln!(out, "  {}{style};", quoted(&node.name));
    }
    for edge in &graph.edges {
        let (Some(from), Some(to)) = (graph.nodes.get(edge.from), graph.nodes.get(edge.to)) else { continue };
        let label = edge.label.as_ref().map(|label| format!("label={}", quoted(label)));
        let dotted = edge.is_dotted.then(|| "style=dotted".to_owned());
        let marks: Vec<String> = label.into_iter().chain(dotted).collect();
        let marks = if marks.is_empty() { String::new() } else { format!(" [{}]", marks.join(", ")) };
        let _ = writeln!(out, "  {} -> {}{marks};", quoted(&from.name), quoted(&to.name));
    }
    out + "}\n"
}
