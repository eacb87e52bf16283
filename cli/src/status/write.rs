//! Rows as a table for people, and as JSON or YAML for programs.
//!
//! In: rows, the time. Out: text. The form of the JSON is stable. Pure.

use super::{Last, Ready, Row, is_old};
use crate::report::Report;
use crate::said::{Colour, ago, coloured, duration, table};
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;

/// The form of the JSON. Another form gets another name.
const FORM: &str = "azureml.dev/status/v1";

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether there is a column for the namespace.
    pub has_namespaces: bool,
    /// Whether colours are wanted.
    pub is_coloured: bool,
    /// The time.
    pub now: Timestamp,
}

/// A table, with a line for what is left out.
#[must_use]
pub fn text(rows: &[Row], style: Style) -> String {
    let mut headings = vec!["KIND", "NAME", "READY", "REASON", "SINCE", "AGE", "NEXT", "LAST"];
    if style.has_namespaces {
        headings.insert(0, "NAMESPACE");
    }
    let (old, shown): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| is_old(row, style.now));
    let lines: Vec<Vec<String>> = shown.into_iter().map(|row| cells(row, style)).collect();
    let mut text = table(&headings, &lines);
    if !old.is_empty() {
        let _ = writeln!(
            text,
            "\n{} runs that ended more than a day ago are left out; kubectl get mlruns shows them.",
            old.len()
        );
    }
    text
}

fn cells(row: &Row, style: Style) -> Vec<String> {
    let Style { is_coloured, now, .. } = style;
    let mut cells = vec![
        row.kind.clone(),
        row.name.clone(),
        coloured(&format!("{:?}", row.ready), colour(row), is_coloured),
        reason(row),
        ago(row.since, now),
        ago(row.created, now),
        next(row),
        row.last.as_ref().map_or_else(String::new, |last| told(last, is_coloured, now)),
    ];
    if style.has_namespaces {
        cells.insert(0, row.namespace.clone());
    }
    cells
}

fn colour(row: &Row) -> Colour {
    match row.ready {
        Ready::True => Colour::Green,
        Ready::False if row.is_stalled => Colour::Red,
        Ready::False | Ready::Unknown => Colour::Yellow,
    }
}

/// The reason, and what else the object waits for by somebody's will.
fn reason(row: &Row) -> String {
    let marks = [(row.is_leaving, "deleting"), (row.is_paused, "paused")];
    let marks: Vec<&str> = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect();
    if marks.is_empty() { row.reason.clone() } else { format!("{} ({})", row.reason, marks.join(", ")) }
}

/// The next firing by the clock of its zone: `2026-12-01 04:00+01:00`.
fn next(row: &Row) -> String {
    if row.is_suspended {
        return "suspended".to_owned();
    }
    let Some(next) = &row.next else { return String::new() };
    let parts = (next.get(..10), next.get(11..16), next.get(19..));
    let (Some(day), Some(clock), Some(offset)) = parts else { return next.clone() };
    format!("{day} {clock}{offset}")
}

fn told(last: &Last, is_coloured: bool, now: Timestamp) -> String {
    let colour = match last.phase.as_str() {
        "Succeeded" => Colour::Green,
        "Failed" | "Canceled" => Colour::Red,
        _ => Colour::Yellow,
    };
    let mut words = vec![coloured(&last.phase, colour, is_coloured)];
    if let Some(seconds) = last.seconds {
        words.push(format!("in {}", duration(SignedDuration::from_secs(seconds))));
    }
    match (last.ended_at, last.at) {
        (Some(ended), _) => words.push(format!("{} ago", ago(Some(ended), now))),
        (None, Some(at)) => words.push(format!("for {}", ago(Some(at), now))),
        (None, None) => {}
    }
    let words = words.join(" ");
    last.failure.as_ref().map_or_else(|| words.clone(), |failure| format!("{words} ({failure})"))
}

/// Everything for programs.
#[must_use]
pub fn report(rows: &[Row]) -> Report<'_, [Row]> {
    Report { form: FORM, key: "objects", value: rows }
}
