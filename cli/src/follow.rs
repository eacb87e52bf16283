//! A run that is followed: what is new between two looks at it, how it ended or why it stands still, and how many watches may bring nothing.
//!
//! In: an MLRun as it was and as it is, by events of a watch. Out: lines, and the end with its table of steps. Pure.

use crate::said::{duration, table};
use crate::thing::{Thing, is_finished};
use azureml_plan::reasons;
use jiff::SignedDuration;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

/// How many watches in a row may bring nothing.
pub const ATTEMPTS: u32 = 5;
/// A watch that lasted longer was a good one, though nothing happened.
const LONG: Duration = Duration::from_secs(30);

/// Counts watches in a row that brought nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    failures: u32,
}

impl Patience {
    /// Whether another watch may begin after one that brought so many looks at the run and lasted so long. Each watch begins with the run
    /// as it is, also where watching is forbidden, so that the first look is no news.
    pub fn allows(&mut self, looks: usize, lasted: Duration) -> bool {
        let is_good = looks > 1 || lasted > LONG;
        self.failures = if is_good { 0 } else { self.failures + 1 };
        self.failures < ATTEMPTS
    }
}

/// The run of an event; none where the event has another object, as the `Status` of an error.
#[must_use]
pub fn look(event: &Value) -> Option<Thing> {
    (event["object"]["kind"] == "MLRun").then(|| Thing::of(event["object"].clone(), ""))
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Whether it succeeded.
    pub is_good: bool,
    /// Its steps with their times, its end, its address in studio.
    pub text: String,
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn steps(run: &Thing) -> &[Value] {
    run.status()["steps"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn seconds(value: &Value, key: &str) -> Option<String> {
    value[key].as_i64().map(|seconds| duration(SignedDuration::from_secs(seconds)))
}

/// What is new since the look before: one line for each.
#[must_use]
pub fn news(before: Option<&Thing>, run: &Thing) -> Vec<String> {
    let mut lines = Vec::new();
    let waits = |run: &Thing| {
        let ready = run.condition("Ready").filter(|found| found.status == "False")?;
        Some(format!("waits: {}: {}", ready.reason, ready.message))
    };
    let (is, was) = (run.phase(), before.and_then(Thing::phase));
    if let Some(line) =
        waits(run).filter(|line| !run.has_ended() && before.and_then(waits).as_ref() != Some(line))
    {
        lines.push(line);
    }
    if run.leaving().is_some() && before.is_none_or(|before| before.leaving().is_none()) {
        lines.push("is being deleted, which cancels its job unless deletionPolicy is Retain".to_owned());
    }
    let attempts = |run: &Thing| run.status()["attempts"].as_array().map_or(0, Vec::len);
    if attempts(run) > before.map_or(0, attempts) {
        lines.push(format!("is tried again: job {}", text(run.status(), "jobName")));
    }
    let known = before.map(steps).unwrap_or_default();
    for step in steps(run) {
        let phase = text(step, "phase");
        let old = known.iter().find(|old| old["name"] == step["name"]);
        if old.is_none_or(|old| text(old, "phase") != phase) {
            lines.push(format!("step {}: {}", text(step, "name"), told(step, phase)));
        }
    }
    if let Some(phase) = is.filter(|_| is != was) {
        lines.push(phase.to_owned());
    }
    lines
}

/// The phase of a step, and how long it took to come there.
fn told(step: &Value, phase: &str) -> String {
    if step["reused"] == true {
        return format!("{phase}, by the result of an equal step");
    }
    let after = match phase {
        phase if is_finished(phase) => seconds(step, "durationSeconds").map(|time| format!(" in {time}")),
        "Running" => seconds(step, "queuedSeconds").map(|time| format!(", after {time} in the queue")),
        _ => None,
    };
    format!("{phase}{}", after.unwrap_or_default())
}

/// How a run ended; none while it goes on.
#[must_use]
pub fn end(run: &Thing) -> Option<End> {
    let is_told = run.condition("Succeeded").is_some_and(|end| end.status != "Unknown");
    let phase = run.phase().filter(|_| run.has_ended() && is_told)?;
    let status = run.status();
    let rows: Vec<Vec<String>> = steps(run).iter().map(cells).collect();
    let mut lines = String::new();
    if !rows.is_empty() {
        lines += &table(&["STEP", "PHASE", "QUEUED", "PREPARED", "RAN", "TOOK"], &rows);
        lines.push('\n');
    }
    let took = seconds(status, "durationSeconds").map(|time| format!(" in {time}")).unwrap_or_default();
    let _ = writeln!(lines, "{}: {phase}{took}", run.id());
    let failure = &status["failure"];
    if failure.is_object() {
        let step = failure["step"].as_str().map(|step| format!("step {step}: ")).unwrap_or_default();
        let _ = writeln!(lines, "  {step}{}: {}", text(failure, "code"), text(failure, "message").trim());
    }
    for (name, address) in status["outputs"].as_object().into_iter().flatten() {
        let _ = writeln!(lines, "  {name}: {}", address.as_str().unwrap_or_default());
    }
    if let Some(address) = status["studioUrl"].as_str() {
        let _ = writeln!(lines, "  {address}");
    }
    Some(End { is_good: phase == "Succeeded", text: lines })
}

/// Why a run stands still: it is stalled, so that only a change helps and no end is to be waited for. None while it goes on, or while the
/// operator has not looked yet at what was asked of it since. A failed attempt that is followed by another (`spec.retry`) is not stalled.
#[must_use]
pub fn halt(run: &Thing) -> Option<End> {
    let stalled = run.condition("Stalled").filter(|found| found.status == "True")?;
    let asked = &run.object["metadata"]["annotations"][azureml_crds::RECONCILE_REQUESTED_AT];
    let is_asked = !asked.is_null() && *asked != run.status()["lastHandledReconcileAt"];
    if run.has_ended() || !run.is_observed() || is_asked {
        return None;
    }
    let mut lines = format!("{}: stalled, {}\n", run.id(), stalled.reason);
    if let Some(known) = reasons::find(&stalled.reason) {
        let _ = writeln!(lines, "  Do: {}", known.remedy());
    }
    let _ = writeln!(lines, "  {}", stalled.message.trim());
    if run.phase().is_some_and(|phase| phase != "Pending") {
        lines += "  Its job goes on in Azure.\n";
    }
    if let Some(address) = run.status()["studioUrl"].as_str() {
        let _ = writeln!(lines, "  {address}");
    }
    let Thing { name, namespace, .. } = run;
    let _ = writeln!(lines, "  Then follow it again: kubectl azureml follow {name} --namespace {namespace}");
    Some(End { is_good: false, text: lines })
}

fn cells(step: &Value) -> Vec<String> {
    let time = |key: &str| seconds(step, key).unwrap_or_else(|| "-".to_owned());
    let reused = if step["reused"] == true { " (reused)" } else { "" };
    vec![
        text(step, "name").to_owned(),
        format!("{}{reused}", text(step, "phase")),
        time("queuedSeconds"),
        time("preparingSeconds"),
        time("runningSeconds"),
        time("durationSeconds"),
    ]
}
