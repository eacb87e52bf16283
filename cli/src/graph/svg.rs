//! Boxes and arrows as a drawing: boxes in rows, each row below what leads to it, and ordered by that.
//!
//! In: a graph. Out: an SVG whose colours are readable on light and dark. Pure. A layout of this size is enough for a namespace; larger
//! ones are for Graphviz.

use super::{Graph, Node};
use crate::why::State;
use std::fmt::Write as _;

const HEIGHT: usize = 40;
const DOWN: usize = 64;
const ASIDE: usize = 28;
const LETTER: usize = 8;
const EDGE: usize = 4;

/// A box with its place.
struct Room {
    left: usize,
    top: usize,
    width: usize,
}

impl Room {
    fn middle(&self) -> usize {
        self.left + self.width / 2
    }
}

/// The drawing.
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let rooms = rooms(graph);
    let width = rooms.iter().map(|room| room.left + room.width).max().unwrap_or(0);
    let height = rooms.iter().map(|room| room.top + HEIGHT).max().unwrap_or(0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-{EDGE} -{EDGE} {} {}\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n  \
         <defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0 L10 5 L0 10 z\" fill=\"#7d8590\"/></marker></defs>\n",
        width + 2 * EDGE,
        height + 2 * EDGE
    );
    for edge in &graph.edges {
        if let (Some(from), Some(to)) = (rooms.get(edge.from), rooms.get(edge.to)) {
            arrow(&mut out, (from, to), edge.label.as_deref(), edge.is_dotted);
        }
    }
    for (node, room) in graph.nodes.iter().zip(&rooms) {
        draw(&mut out, node, room);
    }
    out + "</svg>\n"
}

/// The row of each box: below all that lead to it. An arrow that closes a circle counts for nothing.
fn rows(graph: &Graph) -> Vec<usize> {
    let mut rows = vec![0; graph.nodes.len()];
    // A path without a circle has fewer arrows than there are boxes.
    for _ in 0..graph.nodes.len() {
        let before = rows.clone();
        for edge in graph.edges.iter().filter(|edge| edge.from != edge.to) {
            let row = rows.get(edge.from).map_or(0, |row| row + 1).min(graph.nodes.len() - 1);
            if let Some(below) = rows.get_mut(edge.to) {
                *below = row.max(*below);
            }
        }
        if rows == before {
            break;
        }
    }
    rows
}

/// The places of the boxes, in the order of the graph.
fn rooms(graph: &Graph) -> Vec<Room> {
    let rows = rows(graph);
    let wide = |node: &Node| node.name.chars().count() * LETTER + 2 * ASIDE;
    let mut rooms: Vec<Room> =
        graph.nodes.iter().map(|node| Room { left: 0, top: 0, width: wide(node) }).collect();
    let mut numbers: Vec<usize> = rows.clone();
    numbers.sort_unstable();
    numbers.dedup();
    let mut top = 0;
    for number in numbers {
        let mut row: Vec<usize> =
            (0..rooms.len()).filter(|place| rows.get(*place) == Some(&number)).collect();
        row.sort_by_key(|place| (above(graph, &rooms, &rows, *place), *place));
        let mut left = 0;
        for place in row {
            if let Some(room) = rooms.get_mut(place) {
                (room.left, room.top) = (left, top);
                left += room.width + ASIDE;
            }
        }
        top += HEIGHT + DOWN;
    }
    rooms
}

/// Where the middle is of what leads to a box.
fn above(graph: &Graph, rooms: &[Room], rows: &[usize], place: usize) -> usize {
    let is_above = |from: &usize| rows.get(*from) < rows.get(place);
    let from = graph.edges.iter().filter(|edge| edge.to == place).map(|edge| edge.from).filter(is_above);
    let middles: Vec<usize> = from.filter_map(|from| rooms.get(from)).map(Room::middle).collect();
    middles.iter().sum::<usize>() / middles.len().max(1)
}

fn arrow(out: &mut String, (from, to): (&Room, &Room), label: Option<&str>, is_dotted: bool) {
    let is_down = to.top > from.top;
    let (start, end) = if is_down { (from.top + HEIGHT, to.top) } else { (from.top, to.top + HEIGHT) };
    let (x, to_x, half) = (from.middle(), to.middle(), usize::midpoint(start, end));
    let dashes = if is_dotted { " stroke-dasharray=\"4\"" } else { "" };
    let _ = writeln!(
        out,
        "  <path d=\"M{x} {start} C{x} {half} {to_x} {half} {to_x} {end}\" fill=\"none\" stroke=\"#7d8590\" stroke-width=\"1.5\"{dashes} marker-end=\"url(#tip)\"/>"
    );
    if let Some(label) = label {
        let middle = usize::midpoint(x, to_x);
        let _ = writeln!(
            out,
            "  <text x=\"{middle}\" y=\"{half}\" fill=\"#7d8590\" font-size=\"11\" text-anchor=\"middle\">{}</text>",
            escaped(label)
        );
    }
}

fn draw(out: &mut String, node: &Node, room: &Room) {
    let Room { left, top, width } = room;
    let (colour, dashes) = match node.state {
        Some(State::Missing) => ("#c0392b", " stroke-dasharray=\"4\""),
        Some(State::Stalled) => ("#c0392b", ""),
        Some(State::Waits | State::NotObserved) => ("#b7791f", ""),
        _ => ("#4f7cba", ""),
    };
    let _ = writeln!(
        out,
        "  <rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"8\" fill=\"#e6eefb\" stroke=\"{colour}\" stroke-width=\"1.5\"{dashes}/>\n  \
         <text x=\"{}\" y=\"{}\" fill=\"#12305c\" text-anchor=\"middle\">{}</text>",
        room.middle(),
        top + 25,
        escaped(&node.name)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
