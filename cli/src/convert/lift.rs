//! A job or component that stands alone becomes a pipeline of one step.
//!
//! In: the tree of its file. Out: the tree of a pipeline, at the same places. Decides nothing but where each key belongs.

use super::files::stem;
use super::layers::{peek, peek_text};
use super::names;
use super::read::{Entry, Node, Scalar, Value};
use std::rc::Rc;

/// Keys that are the pipeline's, not the step's.
const ABOVE: [&str; 9] = [
    "$schema",
    "name",
    "version",
    "display_name",
    "description",
    "experiment_name",
    "tags",
    "compute",
    "identity",
];

/// The pipeline around a job.
#[must_use]
pub fn lifted(root: &Node, word: &str) -> Rc<Node> {
    let Value::Map(entries) = &root.value else { return Rc::new(root.clone()) };
    let is_above = |entry: &&Entry| ABOVE.contains(&entry.key.as_str());
    let is_shared = |key: &str| key == "inputs" || key == "outputs";
    let mut above: Vec<Entry> = entries.iter().filter(is_above).cloned().collect();
    above.extend(entries.iter().filter(|entry| is_shared(&entry.key)).cloned());
    let inside: Vec<Entry> = entries.iter().filter(|entry| !is_above(entry)).cloned().collect();
    let name = names::step(peek_text(root, "name").unwrap_or_else(|| stem(&root.place.file)));
    let mut job = if word == "sweep" {
        inside.into_iter().filter(|entry| !is_shared(&entry.key) && entry.key != "type").collect()
    } else {
        let inside = inside.into_iter().filter(|entry| entry.key != "type").collect();
        vec![entry(root, "component", Value::Map(inside))]
    };
    job.push(entry(root, "type", text(word)));
    for (key, inner) in [("inputs", "parent.inputs"), ("outputs", "parent.outputs")] {
        job.extend(peek(root, key).map(|ports| entry(root, key, bound(ports, inner))));
    }
    let jobs = Value::Map(vec![entry(root, &name, Value::Map(job))]);
    above.push(entry(root, "type", text("pipeline")));
    above.push(entry(root, "jobs", jobs));
    Rc::new(Node { place: root.place.clone(), value: Value::Map(above) })
}

fn text(text: &str) -> Value {
    Value::Scalar(Scalar { text: text.to_owned(), is_plain: true })
}

fn entry(root: &Node, key: &str, value: Value) -> Entry {
    let place = root.place.clone();
    Entry { key: key.to_owned(), place: place.clone(), node: Node { place, value } }
}

/// Each port, bound to the one of the same name above.
fn bound(ports: &Node, inner: &str) -> Value {
    let Value::Map(entries) = &ports.value else { return ports.value.clone() };
    let bind = |port: &Entry| Entry {
        key: port.key.clone(),
        place: port.place.clone(),
        node: Node { place: port.node.place.clone(), value: text(&format!("${{{{{inner}.{}}}}}", port.key)) },
    };
    Value::Map(entries.iter().map(bind).collect())
}
