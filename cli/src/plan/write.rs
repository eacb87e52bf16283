//! A report for people: what would be done to which resource, field by field.
//!
//! In: a report, whether colours are wanted. Out: text. Pure.

use super::known_after::shown;
use super::report::{Planned, Report};
use super::request::{Changed, Does, Request};
use serde_json::Value;
use std::fmt::Write as _;

/// The longest value that is shown whole.
const LONGEST: usize = 100;

/// The report as text.
#[must_use]
pub fn text(report: &Report, is_coloured: bool) -> String {
    let mut out = String::new();
    for planned in &report.objects {
        object(&mut out, planned, is_coloured);
    }
    let counts: Vec<String> =
        report.counts().into_iter().map(|(does, count)| format!("{count} to {}", does.word())).collect();
    let failed = report.objects.iter().filter(|one| one.is_failed()).count();
    let mut last =
        if counts.is_empty() { "No changes.".to_owned() } else { format!("{}.", counts.join(", ")) };
    if failed > 0 {
        let _ = write!(last, " {failed} objects have no whole plan: what stands there comes first.");
    }
    let _ = writeln!(out, "{last}");
    out
}

fn object(out: &mut String, planned: &Planned, is_coloured: bool) {
    let Planned { kind, namespace, name, told, requests } = planned;
    if requests.is_empty() && !planned.told.is_unsettled() {
        return;
    }
    let _ = writeln!(out, "{kind}/{name} in {namespace}");
    let (reason, message) = (told.reason.as_str(), shown(&told.message));
    if planned.is_failed() {
        let _ = writeln!(out, "{}", coloured(&format!("  ! {reason}: {message}"), RED, is_coloured));
    } else if told.held > 0 {
        let line = format!("  = paused: {} changes are held back", told.held);
        let _ = writeln!(out, "{}", coloured(&line, YELLOW, is_coloured));
    } else if requests.is_empty() {
        let _ = writeln!(out, "  = waits: {reason}: {message}");
    }
    for sent in requests {
        request(out, sent, is_coloured);
    }
    let _ = writeln!(out);
}

fn request(out: &mut String, request: &Request, is_coloured: bool) {
    let does = request.does();
    let (sign, colour) = match does {
        Does::Create | Does::Upload | Does::Build | Does::Start => ('+', GREEN),
        Does::Change => ('~', YELLOW),
        Does::Archive | Does::Cancel | Does::Delete => ('-', RED),
    };
    let (of, name) = request.resource();
    let line = format!("  {sign} {} {of} {name}", does.word());
    let _ = writeln!(out, "{}", coloured(&line, colour, is_coloured));
    for cost in request.cost() {
        let _ = writeln!(out, "{}", coloured(&format!("      costs more: {cost}"), YELLOW, is_coloured));
    }
    if matches!(does, Does::Delete | Does::Cancel | Does::Archive) {
        return;
    }
    for Changed { field, from, to } in request.changed() {
        let line = if request.before.is_none() {
            format!("      {field}: {}", value(&to))
        } else {
            format!("      {field}: {} -> {}", value(&from), value(&to))
        };
        let _ = writeln!(out, "{line}");
    }
}

/// A value in one line.
fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => shown(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => shown(&value.to_string()),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;

fn coloured(text: &str, colour: u8, is_coloured: bool) -> String {
    if is_coloured { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}
