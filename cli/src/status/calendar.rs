//! The firings of the next week, day by day, each by the clock of its schedule's time zone.
//!
//! In: objects, the time. Out: a calendar, as text or JSON. When a schedule fires is computed by the plan. Pure.

use crate::report::Report;
use crate::thing::Thing;
use azureml_crds::MLSchedule;
use azureml_plan::schedule::calendar as firings;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The form of the JSON. Another form gets another name.
const FORM: &str = "azureml.dev/calendar/v1";
/// How far it looks.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The most times of one schedule in a day that are all shown.
const SHOWN: usize = 6;

/// A change of a clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When, by the clock before.
    pub at: String,
    /// What the clock shows then.
    pub becomes: String,
}

/// A schedule and its firings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The pipeline that runs.
    pub pipeline: String,
    /// The time zone.
    pub time_zone: String,
    /// Why nothing fires, or may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// When it fires, with the offset of the zone.
    pub firings: Vec<String>,
    /// The changes of its clock.
    pub changes: Vec<Change>,
}

fn stamp(at: Timestamp, offset: Offset) -> String {
    at.to_zoned(TimeZone::fixed(offset)).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The calendar of the schedules among objects.
#[must_use]
pub fn entries(things: &[Thing], now: Timestamp) -> Vec<Entry> {
    things.iter().filter(|thing| thing.kind == "MLSchedule").map(|thing| entry(thing, now)).collect()
}

fn entry(thing: &Thing, now: Timestamp) -> Entry {
    let spec = thing.spec();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = Entry {
        namespace: thing.namespace.clone(),
        name: thing.name.clone(),
        pipeline: text(&spec["pipelineRef"]["name"]),
        time_zone: spec["timeZone"].as_str().unwrap_or("UTC").to_owned(),
        remark: remark(thing),
        firings: Vec::new(),
        changes: Vec::new(),
    };
    let read = read(&thing.object).map_err(|error| error.to_string());
    let until = now.checked_add(WEEK).unwrap_or(Timestamp::MAX);
    let found = read.and_then(|read| firings(&read, now, until).map_err(|error| error.to_string()));
    match found {
        Err(error) => Entry { remark: Some(error), ..entry },
        Ok(found) => Entry {
            firings: found.times.iter().map(|time| stamp(time.timestamp(), time.offset())).collect(),
            changes: found
                .changes
                .iter()
                .map(|(at, before, after)| Change { at: stamp(*at, *before), becomes: stamp(*at, *after) })
                .collect(),
            ..entry
        },
    }
}

/// A schedule. A status that this version cannot read hides no times.
fn read(object: &Value) -> serde_json::Result<MLSchedule> {
    serde_json::from_value(object.clone()).or_else(|_| {
        let mut bare = object.clone();
        bare["status"] = Value::Null;
        serde_json::from_value(bare)
    })
}

fn remark(thing: &Thing) -> Option<String> {
    let is_suspended = thing.spec()["suspend"] == true;
    let words = [
        (is_suspended, "suspended"),
        (thing.leaving().is_some(), "being deleted"),
        (thing.is_paused(), "paused"),
        (!is_suspended && thing.is("Stalled"), "stalled"),
    ];
    let words: Vec<&str> = words.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What one day holds: its changes of clocks, and its firings.
#[derive(Default)]
struct Day {
    changes: Vec<String>,
    /// Times, then which schedule.
    firings: Vec<(Vec<String>, String)>,
}

/// The calendar for people.
#[must_use]
pub fn text(entries: &[Entry], has_namespaces: bool) -> String {
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for entry in entries {
        add_firings(&mut days, entry, has_namespaces);
    }
    for entry in entries {
        add_changes(&mut days, entry);
    }
    let mut out = String::new();
    for (date, mut day) in days {
        let _ = writeln!(out, "{}", date.strftime("%a %Y-%m-%d"));
        day.changes.sort();
        day.changes.dedup();
        for change in day.changes {
            let _ = writeln!(out, "  ! {change}");
        }
        day.firings.sort();
        for (times, which) in day.firings {
            let _ = writeln!(out, "  {}  {which}", said(&times));
        }
    }
    if out.is_empty() {
        out.push_str("Nothing fires in the next 7 days.\n");
    }
    for entry in entries {
        if let Some(remark) = &entry.remark {
            let _ = writeln!(out, "{}: {remark}", named(entry, has_namespaces));
        }
    }
    out
}

/// The day of a moment, by the clock that it is written with.
fn day(stamp: &str) -> Option<Date> {
    stamp.get(..10).and_then(|day| day.parse().ok())
}

fn add_firings(days: &mut BTreeMap<Date, Day>, entry: &Entry, has_namespaces: bool) {
    let mut times: BTreeMap<Date, Vec<String>> = BTreeMap::new();
    for firing in &entry.firings {
        if let (Some(day), Some(clock), Some(offset)) = (day(firing), firing.get(11..16), firing.get(19..)) {
            times.entry(day).or_default().push(format!("{clock}{offset}"));
        }
    }
    let which = format!("{}  {}  ({})", named(entry, has_namespaces), entry.pipeline, entry.time_zone);
    for (date, times) in times {
        days.entry(date).or_default().firings.push((times, which.clone()));
    }
}

/// Adds the changes of a clock by which something fires in these days, also to a day on which nothing fires.
fn add_changes(days: &mut BTreeMap<Date, Day>, entry: &Entry) {
    for change in entry.changes.iter().filter(|_| !entry.firings.is_empty()) {
        let Some(date) = day(&change.at) else { continue };
        let clock = |stamp: &str| stamp.get(11..16).unwrap_or_default().to_owned();
        let (from, to) = (clock(&change.at), clock(&change.becomes));
        let line = format!("the clock of {} is changed: {from} becomes {to}", entry.time_zone);
        days.entry(date).or_default().changes.push(line);
    }
}

fn named(entry: &Entry, has_namespaces: bool) -> String {
    if has_namespaces { format!("{}/{}", entry.namespace, entry.name) } else { entry.name.clone() }
}

/// The times of a day; of many, how many, the first and the last.
fn said(times: &[String]) -> String {
    match times {
        [first, .., last] if times.len() > SHOWN => format!("{first} to {last}, {} times", times.len()),
        _ => times.join(" "),
    }
}

/// The calendar for programs.
#[must_use]
pub fn report(entries: &[Entry]) -> Report<'_, [Entry]> {
    Report { form: FORM, key: "schedules", value: entries }
}
