//! Figures of the book, drawn from text: `docs/figures/NAME.yaml` has rows of boxes and the arrows between them.
//! In: YAML. Out: SVG with colours that are readable on light and dark pages. A box or an arrow that is wrong is an error.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::svg::{self, ARROW, escaped};

/// Where the texts are.
const FOLDER: &str = "docs/figures";
const WIDTH: usize = 860;
/// Between boxes of a row, where labels of arrows stand; and between those of a row with many.
const ACROSS: [usize; 2] = [84, 28];
/// Between rows.
const DOWN: usize = 52;
const LINE: usize = 18;
/// Fill, border and text of a box.
const TONES: [(&str, [&str; 3]); 5] = [
    ("blue", ["#e6eefb", "#4f7cba", "#12305c"]),
    ("green", ["#e2f3e6", "#4a8f5b", "#12401f"]),
    ("amber", ["#fdf0d5", "#b98a2f", "#4d3500"]),
    ("red", ["#fbe4e2", "#b9564c", "#5c1410"]),
    ("grey", ["#eceef1", "#7d8590", "#2b3138"]),
];

/// Every figure that has a text.
pub fn figures(root: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let folder = root.join(FOLDER);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("failed to read {FOLDER}"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path)?;
        let figure = drawn(&text).with_context(|| format!("{FOLDER}/{name}.yaml"))?;
        files.insert(format!("{name}.svg"), figure);
    }
    Ok(files)
}

/// A box and its place.
struct Room {
    id: String,
    name: String,
    lines: Vec<String>,
    colours: [&'static str; 3],
    is_terminal: bool,
    row: usize,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Room {
    fn middle(&self) -> usize {
        self.left + self.width / 2
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn drawn(yaml: &str) -> anyhow::Result<String> {
    let figure: Value = serde_saphyr::from_str(yaml)?;
    let title = text(&figure, "title");
    ensure!(!title.is_empty(), "a figure has a title, for people who do not see it");
    let rooms = rooms(&figure)?;
    let height = rooms.iter().map(|room| room.top + room.height).max().context("there is no box")?;
    let mut svg = svg::head(WIDTH, height, &title);
    for room in &rooms {
        fits(room)?;
        draw(&mut svg, room);
    }
    for arrow in list(&figure, "arrows") {
        let find = |key: &str| {
            let id = text(arrow, key);
            rooms.iter().find(|room| room.id == id).with_context(|| format!("there is no box {id:?}"))
        };
        connect(&mut svg, find("from")?, find("to")?, &text(arrow, "says"));
    }
    Ok(svg + "</svg>\n")
}

fn rooms(figure: &Value) -> anyhow::Result<Vec<Room>> {
    let mut rooms = Vec::new();
    let mut top = 0;
    for (row, boxes) in list(figure, "rows").iter().enumerate() {
        let boxes = boxes.as_array().context("a row is a list of boxes")?;
        ensure!(!boxes.is_empty(), "a row has a box at least");
        let across = ACROSS[usize::from(boxes.len() > 3)];
        let width = (WIDTH - across * (boxes.len() - 1)) / boxes.len();
        let most = boxes.iter().map(|one| list(one, "lines").len()).max().unwrap_or(0);
        let height = 42 + most * LINE;
        for (place, one) in boxes.iter().enumerate() {
            let tone = one["tone"].as_str().unwrap_or("blue");
            let colours = TONES.iter().find(|(name, _)| *name == tone).with_context(|| tone.to_owned())?.1;
            let lines = list(one, "lines").iter().map(|line| line.as_str().unwrap_or_default().to_owned());
            rooms.push(Room {
                id: text(one, "id"),
                name: text(one, "name"),
                lines: lines.collect(),
                colours,
                is_terminal: one["terminal"] == true,
                row,
                left: place * (width + across),
                top,
                width,
                height,
            });
        }
        top += height + DOWN;
    }
    Ok(rooms)
}

/// Text that is wider than its box would not be read on a dark page.
fn fits(room: &Room) -> anyhow::Result<()> {
    let letter = |text: &str, width: usize| text.chars().count() * width / 10;
    let mut widths = vec![(&room.name, letter(&room.name, 86))];
    widths.extend(room.lines.iter().map(|line| (line, letter(line, 73))));
    match widths.into_iter().find(|(_, width)| width + 8 > room.width) {
        Some((text, _)) => bail!("{text:?} is wider than its box; write it in two lines"),
        None => Ok(()),
    }
}

fn draw(svg: &mut String, room: &Room) {
    let Room { left, top, width, height, .. } = room;
    let [fill, border, ink] = room.colours;
    let _ = writeln!(
        svg,
        "  <rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{fill}\" stroke=\"{border}\" stroke-width=\"1.5\"/>"
    );
    let (x, anchor, more) = if room.is_terminal {
        (
            left + 14,
            "start",
            " font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\" font-size=\"12\" xml:space=\"preserve\"",
        )
    } else {
        (room.middle(), "middle", " font-size=\"13\"")
    };
    let _ = writeln!(
        svg,
        "  <g fill=\"{ink}\" text-anchor=\"{anchor}\">\n    <text x=\"{x}\" y=\"{}\" font-weight=\"600\">{}</text>",
        top + 26,
        escaped(&room.name)
    );
    for (place, line) in room.lines.iter().enumerate() {
        let y = top + 28 + (place + 1) * LINE;
        let _ = writeln!(svg, "    <text x=\"{x}\" y=\"{y}\"{more}>{}</text>", escaped(line));
    }
    *svg += "  </g>\n";
}

/// An arrow from the edge of one box to the edge of another, with its label on a ground of its own, so that it is read on any page.
fn connect(svg: &mut String, from: &Room, to: &Room, says: &str) {
    let ((x1, y1), (x2, y2)) = ends(from, to);
    let _ = writeln!(
        svg,
        "  <path d=\"M{x1} {y1} L{x2} {y2}\" stroke=\"{ARROW}\" stroke-width=\"1.5\" marker-end=\"url(#tip)\"/>"
    );
    if says.is_empty() {
        return;
    }
    let (x, y) = (x1.midpoint(x2), y1.midpoint(y2));
    // Of this many letters a line has this width.
    let width = says.chars().count() * 13 / 2 + 12;
    let [fill, _, ink] = TONES[0].1;
    let _ = writeln!(
        svg,
        "  <rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"18\" rx=\"9\" fill=\"{fill}\"/>\n  \
         <text x=\"{x}\" y=\"{}\" fill=\"{ink}\" font-size=\"12\" text-anchor=\"middle\">{}</text>",
        x.saturating_sub(width / 2),
        y.saturating_sub(9),
        y + 4,
        escaped(says)
    );
}

/// Where an arrow begins and ends.
fn ends(from: &Room, to: &Room) -> ((usize, usize), (usize, usize)) {
    if from.row == to.row {
        // There and back are two lines.
        let is_back = from.left > to.left;
        let y = from.top + from.height / 2;
        return if is_back {
            ((from.left, y + 14), (to.left + to.width + 4, y + 14))
        } else {
            ((from.left + from.width, y - 14), (to.left - 4, y - 14))
        };
    }
    let inside = |x: usize, room: &Room| x.clamp(room.left + 20, room.left + room.width - 20);
    let (start, end) = if from.width > to.width {
        (inside(to.middle(), from), to.middle())
    } else {
        (from.middle(), inside(from.middle(), to))
    };
    if from.row < to.row {
        ((start, from.top + from.height), (end, to.top - 4))
    } else {
        ((start, from.top), (end, to.top + to.height + 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_stand_in_rows_and_arrows_between_them() {
        let figure = drawn(
            "title: a leads to b\nrows:\n- [{id: a, name: A <1>, lines: [one]}, {id: b, name: B}]\narrows:\n- {from: a, to: b, says: then}\n",
        );
        let figure = figure.unwrap();
        assert!(figure.contains("<title id=\"title\">a leads to b</title>"));
        assert!(figure.contains("A &lt;1>") && figure.contains(">then</text>"));
        assert!(figure.contains("<path d=\"M388 16 L468 16\""), "{figure}");
    }

    #[test]
    fn a_figure_without_words_or_with_an_arrow_to_nowhere_is_an_error() {
        assert!(drawn("rows: [[{id: a}]]").is_err());
        assert!(drawn("title: t\nrows: [[{id: a}]]\narrows: [{from: a, to: b}]").is_err());
        assert!(drawn("title: t\nrows: [[{id: a, tone: pink}]]").is_err());
        let wide = format!("title: t\nrows: [[{{id: a, name: {}}}]]", "w".repeat(120));
        assert!(drawn(&wide).is_err());
    }
}
