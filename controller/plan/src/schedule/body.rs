//! The body of a schedule: its trigger, and the job that it starts.

use super::{Refs, Wanted};
use crate::context::InvalidSpec;
use crate::firing::Trigger;
use crate::job;
use crate::job::Job;
use azureml_crds::MLSchedule;
use azureml_crds::ml_schedule::{Frequency, Recurrence, WeekDay};
use serde_json::{Value, json};

/// Where nothing else says from when on a schedule counts: a start in the past never fires at once.
const LONG_AGO: &str = "2020-01-01T00:00:00";

/// The start in force: the user's, else the one that the schedule has, else long ago.
pub(super) fn start_in_force(wanted: &Wanted, have: Option<&Value>) -> String {
    let existing = || have?["properties"]["trigger"]["startTime"].as_str().map(str::to_owned);
    wanted.start.clone().or_else(existing).unwrap_or_else(|| LONG_AGO.to_owned())
}

pub(super) fn body(
    schedule: &MLSchedule,
    refs: &Refs,
    wanted: &Wanted,
    have: Option<&Value>,
) -> Result<Value, InvalidSpec> {
    let spec = &schedule.spec;
    let tags = refs.owner.tags(&spec.tags);
    let name = schedule.metadata.name.as_deref().unwrap_or_default();
    let experiment = spec.experiment.as_deref().unwrap_or(&spec.pipeline_ref.name);
    let job = Job {
        display_name: name,
        experiment,
        tags: &tags,
        inputs: spec.inputs.as_ref(),
        is_scheduled: true,
        form: refs.form,
        rights: &refs.workspace.rights,
    };
    let mut trigger = match (&spec.cron, &spec.recurrence) {
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
    let mut properties = json!({
        // It cannot be changed after a schedule was made.
        "displayName": have.and_then(|have| have["properties"]["displayName"].as_str()).unwrap_or(name),
        "isEnabled": spec.suspend != Some(true),
        "tags": tags,
        "properties": {},
        "trigger": trigger,
        "action": {"actionType": "CreateJob", "jobDefinition": job::properties(&job, &refs.current)?},
    });
    if let Some(description) = &spec.description {
        properties["description"] = json!(description);
    }
    Ok(json!({"properties": properties}))
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
    let frequency = match recurrence.frequency {
        Frequency::Minute => "Minute",
        Frequency::Hour => "Hour",
        Frequency::Day => "Day",
        Frequency::Week => "Week",
        Frequency::Month => "Month",
    };
    let mut trigger =
        json!({"triggerType": "Recurrence", "frequency": frequency, "interval": recurrence.interval});
    if !recurrence.hours.is_empty() {
        trigger["schedule"] = json!({"hours": recurrence.hours, "minutes": recurrence.minutes});
        if !recurrence.week_days.is_empty() {
            trigger["schedule"]["weekDays"] =
                recurrence.week_days.iter().map(|day| json!(day_name(*day))).collect();
        }
        if !recurrence.month_days.is_empty() {
            trigger["schedule"]["monthDays"] = json!(recurrence.month_days);
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
