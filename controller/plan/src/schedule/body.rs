//! The body of a schedule, with its trigger and the job that it starts, and the hash of what the user wrote.

use super::wanted::{Refs, Wanted};
use crate::asset_name::Pins;
use crate::firing::Trigger;
use crate::hash;
use crate::invalid::InvalidSpec;
use crate::job::{self, Form, Job};
use azureml_crds::MLSchedule;
use azureml_crds::ml_schedule::{Frequency, MLScheduleSpec, Recurrence, WeekDay};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where nothing else says from when on a schedule counts: a start in the past never fires at once.
pub(super) const LONG_AGO: &str = "2020-01-01T00:00:00";

/// The start in force: the user's, else the one that the schedule has, else long ago.
pub(super) fn start_in_force(wanted: &Wanted, have: Option<&Value>) -> String {
    let existing = || have?["properties"]["trigger"]["startTime"].as_str().map(str::to_owned);
    wanted.start.clone().or_else(existing).unwrap_or_else(|| LONG_AGO.to_owned())
}

#[expect(clippy::too_many_lines, reason = "a line for each field of a schedule")]
pub(super) fn body(
    schedule: &MLSchedule,
    refs: &Refs,
    wanted: &Wanted,
    have: Option<&Value>,
) -> Result<Value, InvalidSpec> {
    let MLScheduleSpec {
        pipeline_ref,
        cron,
        recurrence,
        suspend,
        inputs,
        experiment,
        display_name,
        description,
        tags,
        // `wanted` has them, as the zone reads them.
        time_zone: _,
        start_time: _,
        end_time: _,
        // The id has it.
        azure_name: _,
        // What the operator does with a schedule, and not what it is.
        deletion_policy: _,
        drift_policy: _,
        adopt: _,
        // Of the other engine.
        engine: _,
        crons: _,
        concurrency_policy: _,
        starting_deadline: _,
        history_limit: _,
    } = &schedule.spec;
    let tags = refs.owner.tags(tags);
    let name = schedule.metadata.name.as_deref().unwrap_or_default();
    let job = Asked {
        name,
        pipeline: &pipeline_ref.name,
        experiment: experiment.as_ref(),
        display_name: display_name.as_ref(),
        inputs: inputs.as_ref(),
    };
    let properties = json!({
        // It cannot be changed after a schedule was made.
        "displayName": have.and_then(|have| have["properties"]["displayName"].as_str()).unwrap_or(name),
        "isEnabled": *suspend != Some(true),
        "tags": tags,
        "properties": {},
        "trigger": trigger_body((cron.as_deref(), recurrence.as_ref()), wanted, have)?,
        "action": {"actionType": "CreateJob", "jobDefinition": definition(&job, refs, &tags)?},
    });
    Ok(json!({"properties": described(properties, description.as_ref())}))
}

fn described(mut properties: Value, description: Option<&String>) -> Value {
    if let Some(description) = description {
        properties["description"] = json!(description);
    }
    properties
}

/// What a schedule says of its jobs.
struct Asked<'a> {
    name: &'a str,
    pipeline: &'a str,
    experiment: Option<&'a String>,
    display_name: Option<&'a String>,
    inputs: Option<&'a BTreeMap<String, Value>>,
}

/// The job that a firing makes.
fn definition(asked: &Asked<'_>, refs: &Refs, tags: &BTreeMap<String, String>) -> Result<Value, InvalidSpec> {
    let job = Job {
        display_name: job::display_name(asked.display_name, &refs.current, asked.name),
        experiment: job::experiment(asked.experiment, &refs.current, asked.pipeline),
        tags: &job::tags(&refs.current, tags),
        inputs: asked.inputs,
        is_scheduled: true,
        form: refs.form,
        rights: &refs.workspace.rights,
        workspace: &refs.workspace.id,
        pins: &refs.pins,
    };
    job::properties(&job, &refs.current)
}

fn trigger_body(
    (cron, recurrence): (Option<&str>, Option<&Recurrence>),
    wanted: &Wanted,
    have: Option<&Value>,
) -> Result<Value, InvalidSpec> {
    let mut trigger = match (cron, recurrence) {
        (Some(cron), _) => {
            json!({"triggerType": "Cron", "expression": expression(cron)})
        }
        (None, Some(recurrence)) => recurring(recurrence),
        (None, None) => return Err(InvalidSpec::new("spec", "set one of cron, recurrence")),
    };
    trigger["timeZone"] = json!(wanted.zone.windows);
    trigger["startTime"] = json!(start_in_force(wanted, have));
    if let Some(end) = &wanted.end {
        trigger["endTime"] = json!(end);
    }
    Ok(trigger)
}

/// A cron expression as Azure ML takes it: single blanks, and a letter or digit somewhere, which `* * * * *` has not.
fn expression(cron: &str) -> String {
    let text = cron.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.contains(|character: char| character.is_ascii_alphanumeric()) {
        return text;
    }
    text.replacen('*', "*/1", 1)
}

fn recurring(recurrence: &Recurrence) -> Value {
    let Recurrence { frequency, interval, hours, minutes, week_days, month_days } = recurrence;
    let frequency = match frequency {
        Frequency::Minute => "Minute",
        Frequency::Hour => "Hour",
        Frequency::Day => "Day",
        Frequency::Week => "Week",
        Frequency::Month => "Month",
    };
    let mut trigger = json!({"triggerType": "Recurrence", "frequency": frequency, "interval": interval});
    if !hours.is_empty() {
        trigger["schedule"] = json!({"hours": hours, "minutes": minutes});
        if !week_days.is_empty() {
            trigger["schedule"]["weekDays"] = week_days.iter().map(|day| json!(day_name(*day))).collect();
        }
        if !month_days.is_empty() {
            trigger["schedule"]["monthDays"] = json!(month_days);
        }
    }
    trigger
}

fn day_name(day: WeekDay) -> &'static str {
    match day {
        WeekDay::Monday => "Monday",
        WeekDay::Tuesday => "Tuesday",
        WeekDay::Wednesday => "Wednesday",
        WeekDay::Thursday => "Thursday",
        WeekDay::Friday => "Friday",
        WeekDay::Saturday => "Saturday",
        WeekDay::Sunday => "Sunday",
    }
}

pub(super) fn trigger(schedule: &MLSchedule) -> Option<Trigger<'_>> {
    match (&schedule.spec.cron, &schedule.spec.recurrence) {
        (Some(cron), _) => Some(Trigger::Cron(cron)),
        (None, recurrence) => recurrence.as_ref().map(Trigger::Recurrence),
    }
}

/// The hash of what the user wrote, with the pipeline's version.
pub(super) fn content_hash(spec: &MLScheduleSpec, refs: &Refs) -> String {
    let MLScheduleSpec {
        cron,
        recurrence,
        time_zone,
        start_time,
        end_time,
        suspend,
        inputs,
        experiment,
        display_name,
        description,
        tags,
        // It never changes, and its version counts.
        pipeline_ref: _,
        // The id has it.
        azure_name: _,
        // What the operator does with a schedule, and not what it is.
        deletion_policy: _,
        drift_policy: _,
        adopt: _,
        // Of the other engine.
        engine: _,
        crons: _,
        concurrency_policy: _,
        starting_deadline: _,
        history_limit: _,
    } = spec;
    // Another form is another schedule; the usual one says nothing, so that hashes stay.
    let form = (refs.form != Form::default()).then_some(refs.form);
    let mut content = json!({"form": form, "cron": cron, "recurrence": recurrence, "timeZone": time_zone,
        "startTime": start_time, "endTime": end_time, "suspend": suspend, "inputs": inputs,
        "experiment": experiment, "description": description, "tags": tags,
        "version": refs.current.version});
    // Likewise a name and labels: without any, nothing is said.
    if let Some(name) = display_name {
        content["displayName"] = json!(name);
    }
    if refs.pins != Pins::default() {
        content["assets"] = refs.pins.ids().map(ToString::to_string).collect();
    }
    hash::content("schedule", &content)
}
