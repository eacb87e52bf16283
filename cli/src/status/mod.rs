//! `status`: everything of the operator in a namespace, a row for each object.
//!
//! In: objects as kubectl prints them. Out: rows, and the calendar of the schedules. Pure; `write` makes text of them.

pub mod calendar;
pub mod write;

use crate::thing::{Thing, moment};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// For how long a run that has ended is a row of the table.
const NIGHT: SignedDuration = SignedDuration::from_hours(24);

/// Whether an object is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Ready {
    /// Azure holds what the spec says; a run goes on, or has succeeded.
    True,
    /// Not yet, or not without somebody's help.
    False,
    /// The operator has not looked since the object was made or changed.
    Unknown,
}

/// How a run ended, or where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Last {
    /// The phase, such as `Succeeded`.
    pub phase: String,
    /// When it was fired, or made.
    pub at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How long it took, in seconds.
    pub seconds: Option<i64>,
    /// The step that failed, with Azure's code.
    pub failure: Option<String>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each says another thing of the object")]
pub struct Row {
    /// The namespace.
    pub namespace: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Whether it is as it should be.
    pub ready: Ready,
    /// Why.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
    /// Whether only a change can help.
    pub is_stalled: bool,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Whether it is being deleted.
    pub is_leaving: bool,
    /// Whether it is a schedule that is suspended.
    pub is_suspended: bool,
    /// Since when it is so.
    pub since: Option<Timestamp>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it fires next, with the offset of its time zone.
    pub next: Option<String>,
    /// Its newest run; of a run, the run itself.
    pub last: Option<Last>,
}

/// The rows of objects, in their order.
#[must_use]
pub fn rows(things: &[Thing]) -> Vec<Row> {
    things.iter().map(row).collect()
}

/// Whether a row is left out of a table: a run that ended more than a day ago.
#[must_use]
pub fn is_old(row: &Row, now: Timestamp) -> bool {
    let ended = row.last.as_ref().and_then(|last| last.ended_at).filter(|_| row.kind == "MLRun");
    ended.is_some_and(|ended| now.duration_since(ended) > NIGHT)
}

fn row(thing: &Thing) -> Row {
    let (ready, reason, message, since) = state(thing);
    let status = thing.status();
    let last = match thing.kind.as_str() {
        "MLSchedule" => Some(&status["lastRun"]).filter(|run| run.is_object()).map(scheduled),
        "MLRun" => thing.phase().map(|_| itself(thing)),
        _ => None,
    };
    Row {
        namespace: thing.namespace.clone(),
        kind: thing.kind.clone(),
        name: thing.name.clone(),
        ready,
        reason,
        message,
        is_stalled: thing.is("Stalled"),
        is_paused: thing.is_paused(),
        is_leaving: thing.leaving().is_some(),
        is_suspended: thing.spec()["suspend"] == true,
        since,
        created: thing.created(),
        next: status["next"][0].as_str().map(str::to_owned),
        last,
    }
}

/// Whether it is ready, why, and since when. A run is judged by its end.
fn state(thing: &Thing) -> (Ready, String, String, Option<Timestamp>) {
    if !thing.is_observed() {
        let message = "the operator has not looked since the object was made or changed";
        return (Ready::Unknown, "NotObserved".to_owned(), message.to_owned(), thing.created());
    }
    let end = thing.condition("Succeeded").filter(|end| thing.kind == "MLRun" && end.status != "Unknown");
    let Some(found) = end.or_else(|| thing.condition("Ready")) else {
        return (Ready::Unknown, "NoCondition".to_owned(), String::new(), thing.created());
    };
    let ready = match found.status.as_str() {
        "True" => Ready::True,
        "False" => Ready::False,
        _ => Ready::Unknown,
    };
    (ready, found.reason.clone(), found.message.clone(), found.since)
}

/// The newest run of a schedule.
fn scheduled(run: &Value) -> Last {
    Last { at: moment(&run["firedAt"]), ..of(run) }
}

fn itself(run: &Thing) -> Last {
    Last { at: moment(&run.status()["startedAt"]).or_else(|| run.created()), ..of(run.status()) }
}

fn of(run: &Value) -> Last {
    let failure = &run["failure"];
    let words = [&failure["step"], &failure["code"]].map(|word| word.as_str().unwrap_or_default());
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    Last {
        phase: run["phase"].as_str().unwrap_or_default().to_owned(),
        at: None,
        ended_at: moment(&run["finishedAt"]),
        seconds: run["durationSeconds"].as_i64(),
        failure: (!words.is_empty()).then(|| words.join(": ")),
    }
}
