//! Firing: the next time is set when a schedule is written and after each firing; a firing makes a job of its definition.

use super::{Schedule, find};
use crate::arm::Call;
use crate::arm::errors::{self, Reply};
use crate::ml::Origin;
use crate::ml::jobs::{self, Context};
use crate::timers::Event;
use crate::wire::Answer;
use crate::world::World;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Sets the next firing of a schedule that was just written. One without a start fires at once, as Azure's does.
pub fn arm(world: &mut World, key: &str, name: &str, at: Timestamp) {
    let Ok((_, schedule)) = find(world, key, name) else { return };
    let instantly = schedule.is_enabled() && schedule.trigger.start.is_none();
    let generation = schedule.generation;
    if instantly {
        world.timers.set(at, Event::Fire(key.to_owned(), name.to_owned(), generation));
    } else {
        arm_quietly(world, key, name, at);
    }
}

/// Sets the next firing by the trigger alone.
pub fn arm_quietly(world: &mut World, key: &str, name: &str, at: Timestamp) {
    let Ok((_, schedule)) = find(world, key, name) else { return };
    if let Some(next) = schedule.trigger.next(at).filter(|_| schedule.is_enabled()) {
        let generation = schedule.generation;
        world.timers.set(next, Event::Fire(key.to_owned(), name.to_owned(), generation));
    }
}

/// A schedule fires, unless it was changed, disabled or deleted since this was set.
pub fn fire(world: &mut World, key: &str, name: &str, generation: u64, at: Timestamp) {
    let Ok((_, schedule)) = find(world, key, name) else { return };
    let current = schedule.generation == generation && schedule.is_enabled();
    if !current || schedule.state == crate::ml::Provisioning::Deleting {
        return;
    }
    // A definition whose parts were deleted since makes no job; Azure tells nobody either.
    let _ = submit(world, key, name, (at, at));
    arm_quietly(world, key, name, at);
}

/// Makes the job of a schedule for a time, now, and returns its name.
fn submit(
    world: &mut World,
    key: &str,
    name: &str,
    (at, now): (Timestamp, Timestamp),
) -> Result<String, errors::Refusal> {
    let id = world.ids.uuid();
    let (workspace, schedule) = find(world, key, name)?;
    let body = definition(schedule, at);
    let origin = Origin::by(&schedule.origin.modified_by, now);
    let context = Context { name: id.clone(), origin, schedule: Some(name.to_owned()) };
    let run = jobs::prepare(workspace, &body, &context)?;
    jobs::start(world, key, run, now);
    Ok(id)
}

/// The body of the job: the definition, named after schedule and time, with the macros for the time replaced.
fn definition(schedule: &Schedule, at: Timestamp) -> Map<String, Value> {
    let time = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut body = Value::Object(schedule.job().cloned().unwrap_or_default());
    replace(&mut body, &time);
    body["displayName"] = format!("{}-{}", schedule.name, at.strftime("%Y%m%dT%H%M%SZ")).into();
    body.as_object().cloned().unwrap_or_default()
}

fn replace(value: &mut Value, time: &str) {
    if let Some(text) = value.as_str() {
        let filled = text.replace("${{creation_context.trigger_time}}", time);
        if filled != text {
            *value = filled.into();
        }
    } else if let Some(map) = value.as_object_mut() {
        for value in map.values_mut() {
            replace(value, time);
        }
    } else if let Some(items) = value.as_array_mut() {
        for value in items {
            replace(value, time);
        }
    }
}

/// `POST …/trigger`: a firing now, for the time that the request names.
pub fn trigger_now(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let body = call.body()?;
    let text = body.get("scheduleTime").and_then(Value::as_str);
    let at = text.map_or(Ok(call.now), |text| {
        text.parse::<Timestamp>()
            .map_err(|_| errors::invalid(&format!("scheduleTime must be a time, not '{text}'.")))
    })?;
    let id = submit(world, key, name, (at, call.now))?;
    Ok(Answer::json(StatusCode::OK, &json!({ "scheduleActionType": "CreateJob", "submissionId": id })))
}
