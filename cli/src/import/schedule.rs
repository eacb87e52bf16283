//! Schedules become MLSchedules, and the pipeline that each starts an MLPipeline.
//!
//! In: a schedule as Azure shows it, and the jobs and components that it names. Out: paused objects, or why there are none.

use super::draft::Draft;
use super::live::Live;
use super::object::Object;
use super::pipeline::{Wrapped, defaults, wrapped};
use super::shown::{READS, is_said, said, user_tags};
use super::{node, ports};
use crate::convert::out::{Map, Out};
use serde_json::Value;

const KEEP: &str = "keep it with az ml, or write an MLPipeline of its steps and an MLSchedule by hand";

/// Makes the MLSchedule and its MLPipeline.
pub fn schedule(draft: &mut Draft<'_>, live: &Live, body: &Value) {
    let name = body["name"].as_str().unwrap_or_default();
    let properties = &body["properties"];
    if draft.is_owned("schedule", name, &properties["tags"]) {
        return;
    }
    let action = &properties["action"];
    let job = &action["jobDefinition"];
    let kinds = [said(&action["actionType"]).unwrap_or("none"), said(&job["jobType"]).unwrap_or("none")];
    if !kinds[0].eq_ignore_ascii_case("CreateJob") || !kinds[1].eq_ignore_ascii_case("Pipeline") {
        let why = format!("it starts no pipeline, but {} of {}", kinds[0], kinds[1]);
        return draft.leave("schedule", name, &why, KEEP);
    }
    match pipeline(draft, live, name, job) {
        Ok(Some(started)) => keep(draft, name, properties, started),
        // What is wrong with the pipeline is said already.
        Ok(None) => draft.leave("schedule", name, "its pipeline became no object", KEEP),
        Err(why) => draft.leave("schedule", name, &why, KEEP),
    }
}

/// What a schedule starts.
struct Started {
    /// The MLPipeline.
    pipeline: String,
    /// The values that the schedule gives it.
    values: Map,
    /// Comments of the schedule.
    notes: Vec<String>,
}

/// The MLPipeline of a schedule's job, and the values that the schedule gives it.
fn pipeline(draft: &mut Draft<'_>, live: &Live, name: &str, job: &Value) -> Result<Option<Started>, String> {
    let source = said(&job["sourceJobId"]);
    let of = match source {
        Some(id) => live
            .job(id)
            .map(|body| &body["properties"])
            .ok_or_else(|| format!("the job that it repeats cannot be read: {id}"))?,
        None => job,
    };
    let id = said(&of["componentId"]);
    let component = id
        .map(|id| live.component(id).ok_or_else(|| format!("the component of its job cannot be read: {id}")))
        .transpose()?;
    let types = match component {
        Some(body) => body["properties"]["componentSpec"]["inputs"].clone(),
        None => ports::types(&[of, job]),
    };
    let mut values = ports::values(draft, of, &types)?;
    // What a schedule says over the job that it repeats.
    let own = if source.is_some() { ports::values(draft, job, &types)? } else { Map::new() };
    for (name, value) in own.clone() {
        values.take(&name);
        values.put(&name, value);
    }
    if let Some((id, body)) = id.zip(component) {
        return Ok(around(draft, name, (id, body), of, values));
    }
    let is_of_the_firing = |value: &Out| matches!(value, Out::Text(text) if ports::is_of_the_firing(text));
    let is_over = |(name, value): &(String, Out)| is_of_the_firing(value) || own.get(name).is_some();
    // The rest is what the pipeline's inputs say themselves.
    let values = values.into_iter().filter(is_over).collect();
    Ok(in_place(draft, name, of, &types)?.map(|pipeline| Started { pipeline, values, notes: Vec::new() }))
}

/// The MLPipeline around the component of a schedule's job.
fn around(
    draft: &mut Draft<'_>,
    name: &str,
    (id, body): (&str, &Value),
    job: &Value,
    mut values: Map,
) -> Option<Started> {
    let mut notes = vec![format!("The schedule {name} runs it.")];
    if let Some(identity) = said(&job["identity"]["identityType"]) {
        notes.push(format!("Its job runs as {identity}; a component says itself as whom its steps run."));
    }
    let component = &body["properties"]["componentSpec"];
    let wish = said(&component["name"]).filter(|wish| !wish.contains("anonymous")).unwrap_or(name);
    let left: Vec<&str> =
        ports::dropped(component).filter(|input| values.take(input).is_some()).map(String::as_str).collect();
    let settings = &settings(job);
    let pipeline = wrapped(draft, &Wrapped { wish, id, body, settings, job, notes })?;
    let note = format!(
        "The schedule gives values to {}, which the pipeline does not pass on: the component's own defaults are in force once the annotation is removed.",
        left.join(", ")
    );
    let notes = if left.is_empty() { Vec::new() } else { vec![note] };
    Some(Started { pipeline, values, notes })
}

/// The MLPipeline of a job that has its steps in place.
fn in_place(draft: &mut Draft<'_>, name: &str, job: &Value, types: &Value) -> Result<Option<String>, String> {
    let mut left_out = Vec::new();
    let steps = node::steps(draft, job, &mut left_out)?;
    if steps.is_empty() {
        return Err("Azure shows no steps of its job".to_owned());
    }
    let mut spec = draft.spec();
    spec.put_some("displayName", said(&job["displayName"]));
    spec.put_some("description", said(&job["description"]));
    spec.put_full("inputs", ports::given(draft, job, types)?);
    spec.put_full("outputs", ports::written(draft, job)?);
    spec.put_full("defaults", defaults(draft, &settings(job)));
    spec.put_some("experiment", said(&job["experimentName"]));
    spec.put_full("tags", user_tags(&job["tags"]));
    spec.put("steps", steps);
    let mut notes = vec![format!(
        "The steps of the job that the schedule {name} starts; each runs the component that it runs now.\n\
         {READS}\n\
         Without the annotation azureml.dev/paused the operator registers one pipeline component of these steps."
    )];
    notes.extend(left_out);
    let object =
        Object { folder: "pipelines", kind: "MLPipeline", name: String::new(), notes, is_paused: true, spec };
    Ok(draft.keep(name, object))
}

/// How a job runs; its compute is the one of steps that name none.
fn settings(job: &Value) -> Value {
    let mut settings = job["settings"].clone();
    if let (None, Some(compute)) = (said(&settings["default_compute"]), said(&job["computeId"])) {
        settings["default_compute"] = compute.into();
    }
    settings
}

/// What a job says that neither an MLPipeline nor an MLSchedule does.
fn lost(job: &Value) -> Option<String> {
    let keys = ["notificationSetting", "secretsConfiguration", "services"];
    let lost: Vec<&str> = keys.into_iter().filter(|key| is_said(&job[*key])).collect();
    (!lost.is_empty()).then(|| {
        format!(
            "Its job says {}, which the kinds do not: it is lost once the operator changes the schedule.",
            lost.join(", ")
        )
    })
}

fn keep(draft: &mut Draft<'_>, name: &str, properties: &Value, started: Started) {
    let mut spec = Map::new().with("pipelineRef", Map::new().with("name", started.pipeline));
    let renamed = draft.put_azure_name(&mut spec, name, (1, 255, "-_"));
    trigger(&properties["trigger"], &mut spec);
    spec.put_some("suspend", (properties["isEnabled"] == false).then_some(true));
    spec.put_full("inputs", started.values.sorted());
    let job = &properties["action"]["jobDefinition"];
    spec.put_some("experiment", said(&job["experimentName"]));
    spec.put_some("displayName", said(&job["displayName"]));
    spec.put_some("description", said(&properties["description"]));
    spec.put_full("tags", user_tags(&properties["tags"]));
    draft.put_adopt(&mut spec);
    let mut notes = vec![note(draft, name)];
    notes.extend(renamed);
    notes.extend(started.notes);
    notes.extend(lost(job));
    notes.extend(uncounted(&properties["trigger"]));
    let object =
        Object { folder: "schedules", kind: "MLSchedule", name: String::new(), notes, is_paused: true, spec };
    draft.keep(name, object);
}

fn note(draft: &Draft<'_>, name: &str) -> String {
    let adopt = if draft.options.adopts { "" } else { " With adopt: true, and" };
    let without = if draft.options.adopts { "Without" } else { "without" };
    format!(
        "{READS} The schedule {name} goes on firing as it is.{adopt}\n\
         {without} the annotation azureml.dev/paused, the operator changes it to start its own version of the pipeline."
    )
}

/// A recurrence of several weeks or days counts from its start, which Azure does not always show.
fn uncounted(trigger: &Value) -> Option<String> {
    let is_counted = said(&trigger["startTime"]).is_some() || trigger["interval"].as_i64().unwrap_or(1) == 1;
    (!is_counted).then(|| {
        "Azure shows no start of it. A recurrence counts from startTime: write one at which it fired, before the annotation is removed.".to_owned()
    })
}

/// When it fires.
fn trigger(trigger: &Value, spec: &mut Map) {
    spec.put_some("cron", said(&trigger["expression"]));
    if let Some(frequency) = said(&trigger["frequency"]) {
        let mut recurrence = Map::new().with("frequency", capital(frequency));
        recurrence.put("interval", trigger["interval"].as_i64().unwrap_or(1));
        for key in ["hours", "minutes", "weekDays", "monthDays"] {
            let items: Vec<Out> =
                trigger["schedule"][key].as_array().into_iter().flatten().filter_map(item).collect();
            recurrence.put_some(key, Some(items).filter(|items| !items.is_empty()));
        }
        spec.put("recurrence", recurrence);
    }
    spec.put_some("timeZone", said(&trigger["timeZone"]).filter(|zone| *zone != "UTC"));
    spec.put_some("startTime", said(&trigger["startTime"]).map(moment));
    spec.put_some("endTime", said(&trigger["endTime"]).map(moment));
}

fn item(value: &Value) -> Option<Out> {
    value.as_i64().map(Out::from).or_else(|| value.as_str().map(|word| capital(word).into()))
}

/// A time as the kinds take it: Azure shows a blank for the `T`, and fractions.
fn moment(text: &str) -> String {
    let text = text.replacen(' ', "T", 1);
    let Some((whole, rest)) = text.split_once('.') else { return text };
    let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    format!("{whole}{rest}")
}

fn capital(word: &str) -> String {
    let word = word.to_lowercase();
    let mut letters = word.chars();
    letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
