//! A chain for people: a tree, and below it where it begins, with whose turn it is and the remedy.
//!
//! In: a chain, the time. Out: text, or JSON whose form is stable. Pure.

use super::{Link, Said, State};
use crate::said::{Colour, ago, coloured};
use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write as _;

/// The form of the JSON. Another form gets another name.
const FORM: &str = "azureml.dev/why/v1";
/// The longest message that is shown whole.
const LONGEST: usize = 600;

/// The chain as text.
#[must_use]
pub fn text(link: &Link, now: Timestamp, is_coloured: bool) -> String {
    let mut out = String::new();
    branch(&mut out, link, ("", ""), (now, is_coloured));
    let roots = link.roots();
    if link.state == State::Well {
        for said in link.says.iter().skip(1) {
            remedy(&mut out, &link.object, said, now);
        }
        return out;
    }
    if roots.is_empty() {
        out.push_str("\nIt is a circle: each waits for another of them. Remove one of the references.\n");
    }
    for root in roots {
        if let Some(said) = root.says.first().filter(|_| root.state != State::NotObserved) {
            remedy(&mut out, &root.object, said, now);
        } else {
            without_words(&mut out, root);
        }
    }
    out
}

/// A line for an object, its message, and what it waits for.
fn branch(
    out: &mut String,
    link: &Link,
    (sign, indent): (&str, &str),
    (now, is_coloured): (Timestamp, bool),
) {
    let (word, colour) = match link.state {
        State::Well if link.object.starts_with("MLRun/") => ("ended", Colour::Green),
        State::Well => ("ready", Colour::Green),
        State::Waits => ("waits", Colour::Yellow),
        State::Stalled => ("stalled", Colour::Red),
        State::Missing => ("is not there", Colour::Red),
        State::NotObserved => ("not looked at yet", Colour::Yellow),
        State::Circle => ("stands above: a circle", Colour::Red),
        State::Told => ("as above", Colour::Yellow),
    };
    let _ = write!(out, "{sign}{}: {}", link.object, coloured(word, colour, is_coloured));
    let said = link.says.first().filter(|_| link.state != State::NotObserved);
    if let Some(said) = said {
        let _ = write!(out, ", {} for {}", said.reason, ago(said.since, now));
    }
    if let Some(failures) = link.failures {
        let _ = write!(out, ", {failures} failures in a row");
    }
    out.push('\n');
    let bar = if link.waits_for.is_empty() { "   " } else { "│  " };
    if let Some(said) = said.filter(|_| link.state != State::Well) {
        let _ = writeln!(out, "{indent}{bar}{}", cut(&said.message));
    }
    for (place, below) in link.waits_for.iter().enumerate() {
        let is_last = place + 1 == link.waits_for.len();
        let (sign, further) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let signs = (format!("{indent}{sign}"), format!("{indent}{further}"));
        branch(out, below, (&signs.0, &signs.1), (now, is_coloured));
    }
}

fn remedy(out: &mut String, object: &str, said: &Said, now: Timestamp) {
    let _ = writeln!(out, "\n{object}: {} for {}", said.reason, ago(said.since, now));
    let turn = said.turn.unwrap_or("not known: the word is Azure's own");
    let means =
        said.means.unwrap_or("A code of Azure that the operator passes on; the message has Azure's words.");
    let remedy = said.remedy.unwrap_or("do what the message says");
    let _ = writeln!(out, "  Means:      {means}");
    let _ = writeln!(out, "  Whose turn: {turn}.");
    let _ = writeln!(out, "  Do:         {remedy}.");
}

fn without_words(out: &mut String, root: &Link) {
    let (turn, remedy) = if root.state == State::Missing {
        ("the author's of the manifest", "apply the object, or correct the name where it is named")
    } else {
        (
            "the operator's: it looks within seconds",
            "wait; after a minute ask the platform team whether the operator runs and watches this namespace",
        )
    };
    let _ = writeln!(out, "\n{}\n  Whose turn: {turn}.\n  Do:         {remedy}.", root.object);
}

/// A message in one line, of which the end may be cut: the remedy stands first.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(rename = "apiVersion")]
    form: &'static str,
    #[serde(flatten)]
    chain: &'a Link,
}

/// The chain as JSON.
///
/// # Errors
/// Never: it has no keys that are no text.
pub fn json(link: &Link) -> Result<String> {
    Ok(serde_json::to_string_pretty(&Report { form: FORM, chain: link })? + "\n")
}
