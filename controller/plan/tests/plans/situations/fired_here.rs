//! What is decided for an MLSchedule that this controller fires, in every situation.

use super::Table;
use crate::support::{NOW, ask, id, object, owner, plan, workspace};
use anyhow::Result;
use azureml_crds::MLSchedule;
use azureml_crds::ml_run::Phase;
use azureml_crds::ml_schedule::{Decided, MLScheduleStatus, ScheduledRun};
use azureml_crds::shared::Common;
use azureml_plan::asset_name::Pins;
use azureml_plan::change::{Change, Which};
use azureml_plan::job::Form;
use azureml_plan::schedule::{Made, Refs, Seen};
use azureml_plan::{Ask, Decide as _, View};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;
use std::fmt::Write as _;

#[test]
fn decided() -> Result<()> {
    insta::assert_snapshot!(table()?.text);
    Ok(())
}

fn refs(runs: Vec<Made>) -> Result<Refs> {
    let current = json!({"version": "v1", "componentId": id("components/p/versions/v1"), "settings": {"continueOnStepFailure": false, "forceRerun": false}, "inputs": {"day": {"type": "string", "optional": true}}, "outputs": {}});
    Ok(Refs {
        pins: Pins::default(),
        workspace: workspace(),
        owner: owner("nightly"),
        current: serde_json::from_value(current)?,
        form: Form::Component,
        runs,
    })
}

fn run(name: &str, ended: Option<Phase>) -> Made {
    let which = Which { name: name.to_owned(), uid: format!("uid-of-{name}") };
    let at = ended.map(|_| NOW - SignedDuration::from_hours(1));
    let run = ScheduledRun {
        run: Some(name.to_owned()),
        job_name: format!("r-{name}"),
        fired_at: Time(NOW - SignedDuration::from_hours(2)),
        phase: ended.unwrap_or(Phase::Running),
        started_at: None,
        finished_at: at.map(Time),
        duration_seconds: None,
        failure: None,
        studio_url: None,
    };
    Made { which, ended, at, is_going: false, is_deleted: false, run }
}

/// A schedule whose times up to a moment are decided.
fn of(more: &str, until: Timestamp) -> Result<MLSchedule> {
    let spec = format!("{{pipelineRef: {{name: p}}, engine: Controller, cron: '0 6 * * *'{more}}}");
    let mut schedule: MLSchedule = object("nightly", &spec)?;
    let hash = schedule.wanted(&refs(Vec::new())?).map_err(anyhow::Error::msg)?.hash;
    let common = Common { applied_hash: Some(hash), ..Common::default() };
    let decided = vec![Decided { from: Time(until), to: Time(until) }];
    schedule.status = Some(MLScheduleStatus { common, decided, ..Default::default() });
    Ok(schedule)
}

#[expect(clippy::too_many_lines, reason = "one row after the other")]
pub fn table() -> Result<Table> {
    let mut table = Table::default();
    let mut row = |situation: &str, schedule: &MLSchedule, runs: Vec<Made>, ask: &Ask| -> Result<()> {
        let refs = refs(runs)?;
        let plan = plan(schedule, &refs, &Seen::default(), ask).map_err(anyhow::Error::msg)?;
        table.row(situation, &plan);
        for change in &plan.cluster {
            let verb = match change {
                Change::Create { .. } => "make",
                Change::Cancel(_) => "cancel",
                Change::Delete(_) => "delete",
            };
            let _ = writeln!(table.text, "    {verb} MLRun {}", change.name());
        }
        for (reason, message) in &plan.warnings {
            let _ = writeln!(table.text, "    warning {}: {message}", reason.word());
        }
        let wanted = schedule.wanted(&refs).map_err(anyhow::Error::msg)?;
        let view = View { refs: &refs, wanted: &wanted, seen: &Seen::default(), ask };
        let status = schedule.facts(view, &plan);
        let spans = status.decided.iter().map(|span| format!("{}..{}", span.from.0, span.to.0));
        let _ = writeln!(
            table.text,
            "    decided: {} active: {}",
            spans.collect::<Vec<_>>().join(" "),
            status.active.join(" ")
        );
        Ok(())
    };
    let hours = SignedDuration::from_hours;
    let at = |now: Timestamp| Ask { now, ..ask() };
    let yesterday = NOW - hours(24);
    let new = object("nightly", "{pipelineRef: {name: p}, engine: Controller, cron: '0 6 * * *'}")?;
    row("new, at a firing time", &new, vec![], &ask())?;
    row("before its time", &of("", yesterday)?, vec![], &at(NOW - hours(1)))?;
    row("its time has come", &of("", yesterday)?, vec![], &ask())?;
    row(
        "its run was made by a process that ended",
        &of("", yesterday)?,
        vec![run("nightly-20260105-0600", None)],
        &ask(),
    )?;
    row("its run was made", &of("", NOW)?, vec![run("nightly-20260105-0600", None)], &ask())?;
    row(
        "the spec was changed since",
        &{
            let mut changed = of("", yesterday)?;
            changed.spec.cron = Some("0 5 * * *".to_owned());
            changed
        },
        vec![],
        &ask(),
    )?;
    row("suspended", &of(", suspend: true", yesterday)?, vec![], &ask())?;
    row("over", &of(", endTime: '2026-01-01T00:00:00'", yesterday)?, vec![], &ask())?;
    row("too late", &of("", yesterday)?, vec![], &at(NOW + hours(2)))?;
    row("late, within its deadline", &of(", startingDeadline: 2h", yesterday)?, vec![], &at(NOW + hours(2)))?;
    row("after a week without an operator", &of("", NOW - hours(168))?, vec![], &ask())?;
    row("its clock stands before all that is known", &of("", NOW + hours(24))?, vec![], &ask())?;
    let going = || vec![run("nightly-20260104-0600", None)];
    row("another run goes on", &of("", yesterday)?, going(), &ask())?;
    row(
        "another run goes on, one at a time",
        &of(", concurrencyPolicy: Forbid", yesterday)?,
        going(),
        &ask(),
    )?;
    row(
        "another run goes on, to be replaced",
        &of(", concurrencyPolicy: Replace", yesterday)?,
        going(),
        &ask(),
    )?;
    row(
        "another run goes on, to be replaced by one that was made",
        &of(", concurrencyPolicy: Replace", yesterday)?,
        vec![run("nightly-20260104-0600", None), run("nightly-20260105-0600", None)],
        &ask(),
    )?;
    let cancelled = ["x1", "x2"].map(|name| Made { is_going: true, ..run(name, Some(Phase::Canceled)) });
    row("cancelled runs", &of("", NOW)?, cancelled.to_vec(), &ask())?;
    let ended: Vec<Made> = (1..5)
        .flat_map(|day| {
            [(Phase::Succeeded, "a"), (Phase::Canceled, "b"), (Phase::Failed, "c")].map(|(phase, kind)| {
                Made { at: Some(NOW - hours(24 * day)), ..run(&format!("{kind}{day}"), Some(phase)) }
            })
        })
        .collect();
    row("old runs", &of("", NOW)?, ended.clone(), &ask())?;
    row("old runs, none to be kept", &of(", historyLimit: {successful: 0, failed: 0}", NOW)?, ended, &ask())?;
    Ok(table)
}

#[test]
fn the_time_of_the_firing_is_an_input_and_a_job_that_is_to_go_on_is_said_so() -> Result<()> {
    let spec = ", deletionPolicy: Retain, experiment: e, inputs: {day: '${{creation_context.trigger_time}}'}";
    let schedule = of(spec, NOW - SignedDuration::from_hours(24))?;
    let plan = plan(&schedule, &refs(Vec::new())?, &Seen::default(), &ask()).map_err(anyhow::Error::msg)?;
    insta::assert_json_snapshot!(plan.cluster);
    Ok(())
}
