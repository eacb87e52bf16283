//! The drawing of the crates that are shipped: which uses which, the ones that others stand on at the bottom.
//! In: packages with what they use and what they say of themselves. Out: an SVG. Knows no crate by name but the program's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use super::svg::{self, ARROW, escaped};
use crate::workspace::{Package, Workspace};

/// The crate of the program; what it uses is drawn.
const PROGRAM: &str = "azureml-controller";
const WIDTH: usize = 860;
const HEIGHT: usize = 86;
const GAP: usize = 44;
/// Characters of a line in a box as wide as the drawing.
const LETTERS: usize = 118;

/// The drawing.
pub fn drawing(workspace: &Workspace) -> anyhow::Result<String> {
    let packages: BTreeMap<&str, &Package> =
        workspace.packages.iter().map(|package| (package.name.as_str(), package)).collect();
    let shipped = below(&packages, PROGRAM);
    let mut said = BTreeMap::new();
    for name in &shipped {
        said.insert(*name, first_line(&workspace.root.join(&packages[name].folder))?);
    }
    Ok(drawn(&packages, &shipped, &said))
}

/// A crate and everything of ours that it uses.
fn below<'a>(packages: &BTreeMap<&'a str, &'a Package>, name: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::from([name]);
    for used in packages.get(name).into_iter().flat_map(|package| &package.uses) {
        found.extend(below(packages, used));
    }
    found
}

/// How many crates are at most below one.
fn rank(packages: &BTreeMap<&str, &Package>, name: &str) -> usize {
    let uses = packages.get(name).into_iter().flat_map(|package| &package.uses);
    uses.map(|used| rank(packages, used) + 1).max().unwrap_or(0)
}

/// What a crate says of itself in its first line.
fn first_line(folder: &Path) -> anyhow::Result<String> {
    let file = folder.join("src/lib.rs");
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
    let line = text.lines().next().and_then(|line| line.strip_prefix("//! "));
    Ok(line.with_context(|| format!("{} does not say what it is for", file.display()))?.to_owned())
}

/// A box: its place, its width, and what it is.
struct Room<'a> {
    name: &'a str,
    left: usize,
    top: usize,
    width: usize,
}

impl Room<'_> {
    fn middle(&self) -> usize {
        self.left + self.width / 2
    }
}

fn rooms<'a>(packages: &BTreeMap<&str, &Package>, shipped: &BTreeSet<&'a str>) -> Vec<Room<'a>> {
    let mut rows: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for name in shipped {
        rows.entry(rank(packages, name)).or_default().push(name);
    }
    let mut rooms = Vec::new();
    for (row, (_, names)) in rows.into_iter().rev().enumerate() {
        let width = (WIDTH - GAP * (names.len() - 1)) / names.len();
        for (place, name) in names.into_iter().enumerate() {
            rooms.push(Room { name, left: place * (width + GAP), top: row * (HEIGHT + GAP), width });
        }
    }
    rooms
}

fn drawn(
    packages: &BTreeMap<&str, &Package>,
    shipped: &BTreeSet<&str>,
    said: &BTreeMap<&str, String>,
) -> String {
    let rooms = rooms(packages, shipped);
    let height = rooms.iter().map(|room| room.top + HEIGHT).max().unwrap_or(HEIGHT);
    let title = "The crates of the operator, from the program down to what everything stands on.";
    let mut svg = svg::head(WIDTH, height, title);
    for room in &rooms {
        box_of(&mut svg, room, &packages[room.name].folder, &said[room.name]);
    }
    for from in &rooms {
        for to in rooms.iter().filter(|to| is_direct(packages, from.name, to.name)) {
            let (x, end) = (from.middle().clamp(to.left + 20, to.left + to.width - 20), to.top);
            let start = if x < from.left || x > from.left + from.width { from.middle() } else { x };
            let _ = writeln!(
                svg,
                "  <path d=\"M{start} {} L{x} {}\" stroke=\"{ARROW}\" stroke-width=\"1.5\" marker-end=\"url(#tip)\"/>",
                from.top + HEIGHT,
                end - 4
            );
        }
    }
    svg + "</svg>\n"
}

/// Whether one uses the other, and not only by way of a third.
fn is_direct(packages: &BTreeMap<&str, &Package>, from: &str, to: &str) -> bool {
    let uses = packages.get(from).map(|package| package.uses.as_slice()).unwrap_or_default();
    let is_below = |used: &String| used != to && below(packages, used).contains(to);
    uses.iter().any(|used| used == to) && !uses.iter().any(is_below)
}

fn box_of(svg: &mut String, room: &Room<'_>, folder: &str, said: &str) {
    let Room { name, left, top, width } = room;
    let middle = room.middle();
    let _ = writeln!(
        svg,
        "  <rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"8\" fill=\"#e6eefb\" stroke=\"#4f7cba\" stroke-width=\"1.5\"/>\n  \
         <g fill=\"#12305c\" text-anchor=\"middle\">\n    <text x=\"{middle}\" y=\"{}\"><tspan font-weight=\"600\">{name}</tspan> in {folder}/</text>",
        top + 22
    );
    for (place, line) in wrapped(said, LETTERS * width / WIDTH).into_iter().enumerate() {
        let _ = writeln!(
            svg,
            "    <text x=\"{middle}\" y=\"{}\" font-size=\"13\">{}</text>",
            top + 42 + place * 17,
            escaped(&line)
        );
    }
    *svg += "  </g>\n";
}

/// A sentence in lines of at most so many characters.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > most {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            *line += if line.is_empty() { "" } else { " " };
            *line += word;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, uses: &[&str]) -> Package {
        let uses = uses.iter().map(ToString::to_string).collect();
        Package { name: name.into(), tests: Vec::new(), folder: name.into(), uses }
    }

    #[test]
    fn what_is_used_is_below_and_only_the_nearest_has_an_arrow() {
        let all = [package("top", &["middle", "base"]), package("middle", &["base"]), package("base", &[])];
        let other = package("other", &["base"]);
        let packages: BTreeMap<&str, &Package> =
            all.iter().chain([&other]).map(|package| (package.name.as_str(), package)).collect();
        let shipped = below(&packages, "top");
        assert_eq!(shipped.iter().copied().collect::<Vec<_>>(), ["base", "middle", "top"]);
        let tops: Vec<_> = rooms(&packages, &shipped).iter().map(|room| (room.name, room.top)).collect();
        assert_eq!(tops, [("top", 0), ("middle", HEIGHT + GAP), ("base", 2 * (HEIGHT + GAP))]);
        assert!(is_direct(&packages, "top", "middle") && !is_direct(&packages, "top", "base"));
    }

    #[test]
    fn a_long_sentence_is_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one", 2), ["one"]);
    }
}
