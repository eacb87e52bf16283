//! What is decided in every situation that an object can be in: a few lines each, kept as a snapshot for people to read.
//! The requests themselves are a snapshot too.

mod compute;
mod data;
mod environment;
mod fired_here;
mod pipeline;
mod run;
mod schedule;
mod sources;
mod states;
mod workspace;

use crate::requests;
use crate::support::NOW;
use anyhow::Result;
use azureml_crds::shared::LastFailure;
use azureml_plan::report::LAST_RUN_SUCCEEDED;
use azureml_plan::{Action, Plan};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;
use std::fmt::Write as _;

#[test]
fn the_requests_are_these() -> Result<()> {
    insta::assert_json_snapshot!(requests::all()?);
    Ok(())
}

/// Lines of a table: what the situation is, what is said, what is sent, when to look again.
#[derive(Default)]
pub struct Table {
    text: String,
    rows: Vec<Row>,
}

/// A row of a table, for tests that ask what others make of it.
pub struct Row {
    situation: String,
    plan: Plan,
    is_leaving: bool,
}

impl Table {
    /// Of an object that is being deleted.
    fn leaves(&mut self, situation: &str, plan: &Plan) {
        self.write(situation, plan, true);
    }

    fn row(&mut self, situation: &str, plan: &Plan) {
        self.write(situation, plan, false);
    }

    fn write(&mut self, situation: &str, plan: &Plan, is_leaving: bool) {
        self.rows.push(Row { situation: situation.to_owned(), plan: plan.clone(), is_leaving });
        let _ = writeln!(self.text, "{situation}");
        let _ = writeln!(
            self.text,
            "    {:?} {}: {}",
            plan.verdict.state, plan.verdict.reason, plan.verdict.message
        );
        for action in &plan.actions {
            let verb = match action {
                Action::Put { .. } => "PUT",
                Action::Patch { .. } => "PATCH",
                Action::Post { action, .. } => action,
                Action::Delete { .. } => "DELETE",
                Action::Upload { .. } => "upload and PUT",
            };
            let _ = writeln!(self.text, "    {verb} {}", tail(action));
        }
        let at = plan.at.map(|at| format!(" at {at}")).unwrap_or_default();
        let _ = writeln!(self.text, "    next: {:?}{at}", plan.next);
        // The condition of runs is a kind's own, and no verdict.
        for extra in plan.conditions.iter().filter(|extra| extra.r#type == LAST_RUN_SUCCEEDED) {
            let _ = writeln!(
                self.text,
                "    {} {} {}: {}",
                extra.r#type, extra.status, extra.reason, extra.message
            );
        }
        for drift in &plan.drift {
            let _ =
                writeln!(self.text, "    drift: {} wanted {} found {}", drift.path, drift.want, drift.have);
        }
    }
}

fn tail(action: &Action) -> String {
    let id = action.target().to_string();
    id.split("/providers/")
        .last()
        .and_then(|tail| tail.split_once('/'))
        .map_or(id.clone(), |(_, tail)| tail.to_owned())
}

/// Sets a value in a copy.
pub fn with(value: &Value, pointer: &str, new: Value) -> Value {
    let mut value = value.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    if let Some(parent) = value.pointer_mut(parent) {
        parent[key] = new;
    }
    value
}

fn failure(reason: &str, count: i32) -> LastFailure {
    let at = Time(NOW - SignedDuration::from_mins(2));
    LastFailure { reason: reason.to_owned(), count, at, stalled: false }
}
