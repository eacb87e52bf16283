//! Schedules: GET, LIST, PUT, DELETE, trigger. They fire by themselves, on the simulator's clock.
//! Source: Azure REST API, `Schedules_*`; learn.microsoft.com, "Schedule machine learning pipeline jobs".

mod fire;
mod recurrence;
mod show;
mod trigger;

use super::jobs::{self, Context};
use super::{Origin, Provisioning, Workspace};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::operations::Work;
use crate::arm::paging::Page;
use crate::faults::Failure;
use crate::wire::Answer;
use crate::world::World;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trigger::Trigger;

pub use fire::{fire, trigger_now};

/// One schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The name.
    pub name: String,
    /// Its properties as they were PUT.
    pub properties: Map<String, Value>,
    /// When it fires.
    pub trigger: Trigger,
    /// How far its provisioning is.
    pub state: Provisioning,
    /// What it was before the change that goes on.
    pub before: Option<Box<Self>>,
    /// Counts its changes, so that a firing set before one is known to be old.
    pub generation: u64,
    /// Its maker, and the time.
    pub origin: Origin,
}

impl Schedule {
    /// Whether it fires.
    pub fn is_enabled(&self) -> bool {
        self.properties.get("isEnabled") != Some(&Value::Bool(false))
    }

    /// What it runs.
    pub fn job(&self) -> Option<&Map<String, Value>> {
        self.properties.get("action")?.get("jobDefinition")?.as_object()
    }

    /// What is shown of it: nothing while it is made, what it was before while it is changed.
    fn shown(&self) -> Option<&Self> {
        if self.state == Provisioning::Creating { self.before.as_deref() } else { Some(self) }
    }

    /// It with neither id nor type, as GET and lists have it.
    fn json(&self) -> Value {
        json!({ "name": self.name, "properties": show::properties(self), "systemData": self.origin.json() })
    }
}

/// Answers a request below `schedules`.
pub fn answer(world: &mut World, call: &Call<'_>, key: &str, rest: &[&str]) -> Reply {
    match (&call.request.method, rest) {
        (&Method::GET, []) => list(world, call, key),
        (&Method::GET, [name]) => get(world, key, name),
        (&Method::PUT, [name]) => put(world, call, key, name),
        (&Method::DELETE, [name]) => delete(world, call, key, name),
        (&Method::POST, [name, action]) if action.eq_ignore_ascii_case("trigger") => {
            trigger_now(world, call, key, name)
        }
        (_, [] | [_]) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}

/// A schedule of a workspace, one that is being made too.
pub fn find<'a>(world: &'a World, key: &str, name: &str) -> Result<(&'a Workspace, &'a Schedule), Refusal> {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    Ok((workspace, workspace.schedules.get(name).ok_or_else(|| errors::missing("Schedule", name))?))
}

fn get(world: &World, key: &str, name: &str) -> Reply {
    let (_, schedule) = find(world, key, name)?;
    let shown = schedule.shown().ok_or_else(|| errors::missing("Schedule", name))?;
    Ok(Answer::ok(&shown.json()))
}

/// Lists schedules; without `listViewType`, the enabled ones alone.
fn list(world: &World, call: &Call<'_>, key: &str) -> Reply {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let page = Page::of(call, &world.settings)?;
    let view = call.request.query("listViewType").unwrap_or("EnabledOnly").to_ascii_lowercase();
    let takes = |schedule: &&Schedule| match view.as_str() {
        "disabledonly" => !schedule.is_enabled(),
        "all" => true,
        _ => schedule.is_enabled(),
    };
    let items = workspace.schedules.values().filter_map(Schedule::shown).filter(takes);
    Ok(Answer::ok(&page.cut("value", items, Schedule::json)))
}

/// Creates or replaces a schedule.
fn put(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let body = call.body()?;
    let mut wanted = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    wanted.retain(|key, value| !value.is_null() && key != "provisioningState");
    for map in ["tags", "properties"] {
        crate::json::texts(wanted.get_mut(map));
    }
    let trigger = Trigger::read(wanted.get("trigger").unwrap_or(&Value::Null), call.now)
        .map_err(|text| errors::invalid(&text))?;
    check(world, call, key, &wanted)?;
    let have = world.workspaces.get(key).and_then(|workspace| workspace.schedules.get(name)).cloned();
    if let Some(have) = &have {
        if have.state.is_busy() {
            return Err(errors::busy(name, have.state.word()));
        }
        if have.properties.get("displayName") != wanted.get("displayName") {
            let text =
                "The displayName of a schedule cannot be changed; delete the schedule and create it again.";
            return Err(errors::mfe(StatusCode::BAD_REQUEST, &["Immutable"], text));
        }
    }
    let mut origin = have.as_ref().map_or_else(|| Origin::new(call), |have| have.origin.clone());
    origin.touch(call);
    let schedule = Schedule {
        name: name.to_owned(),
        properties: wanted,
        trigger,
        state: Provisioning::Creating,
        before: have.clone().map(|have| Box::new(Schedule { before: None, ..have })),
        generation: have.as_ref().map_or(1, |have| have.generation + 1),
        origin,
    };
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let id = format!("{}/schedules/{name}", workspace.id());
    workspace.schedules.insert(name.to_owned(), schedule);
    let operation = world.begin(id, Work::ScheduleWritten(key.to_owned(), name.to_owned()), call.now);
    // The answer says what was asked for, and nothing about the schedule itself: it is made later.
    let (_, schedule) = find(world, key, name)?;
    let answer = Answer::json(StatusCode::CREATED, &json!({ "properties": show::properties(schedule) }));
    Ok(world.follow(answer, &operation, call))
}

/// Refuses an action that could not run.
fn check(world: &World, call: &Call<'_>, key: &str, wanted: &Map<String, Value>) -> Result<(), Refusal> {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let action = wanted.get("action").cloned().unwrap_or_default();
    let kind = crate::json::text(&action, "/actionType");
    if kind != "CreateJob" {
        let text = format!("The simulator fires schedules whose actionType is CreateJob, not '{kind}'.");
        return Err(errors::invalid(&text));
    }
    let job = action.get("jobDefinition").and_then(Value::as_object);
    let job = job.ok_or_else(|| errors::invalid("The jobDefinition of the action is required."))?;
    let context = Context { name: "schedule".into(), origin: Origin::new(call), schedule: None };
    jobs::prepare(workspace, job, &context).map(|_| ())
}

/// Removes a schedule. That of one that is enabled begins too, and fails.
fn delete(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let id = format!("{}/schedules/{name}", workspace.id());
    let Some(schedule) = workspace.schedules.get_mut(name).filter(|schedule| schedule.shown().is_some())
    else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    if schedule.state.is_busy() {
        return Err(errors::busy(name, schedule.state.word()));
    }
    if !schedule.is_enabled() {
        schedule.state = Provisioning::Deleting;
    }
    let operation = world.begin(id, Work::ScheduleDeleted(key.to_owned(), name.to_owned()), call.now);
    Ok(world.follow(Answer::empty(StatusCode::ACCEPTED), &operation, call))
}

/// The creation or change of a schedule ends; from now on it fires.
pub fn written(
    world: &mut World,
    key: &str,
    name: &str,
    outcome: Result<(), Failure>,
    at: Timestamp,
) -> Result<(), Failure> {
    let schedule = world.workspaces.get_mut(key).and_then(|workspace| workspace.schedules.get_mut(name));
    let Some(schedule) = schedule else { return outcome };
    let outcome = outcome.and_then(|()| schedule.trigger.end_in_the_past(at));
    let before = schedule.before.take();
    if outcome.is_err() {
        // The operation alone says so: what was there stays, and what was not is not.
        match before {
            Some(before) => *schedule = *before,
            None => drop(world.workspaces.get_mut(key).and_then(|all| all.schedules.remove(name))),
        }
        return outcome;
    }
    schedule.state = Provisioning::Succeeded;
    if before.is_none() {
        // It is there from now on, and not since it was asked for.
        (schedule.origin.created, schedule.origin.modified) = (at, at);
    }
    fire::arm(world, key, name, at);
    outcome
}

/// The removal of a schedule ends. One that is enabled stays as it is; the operation alone says so.
pub fn deleted(
    world: &mut World,
    key: &str,
    name: &str,
    outcome: Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(workspace) = world.workspaces.get_mut(key) else { return outcome };
    let Some(schedule) = workspace.schedules.get_mut(name) else { return outcome };
    if schedule.is_enabled() {
        return Err(Failure::new("UserError", format!("Cannot delete an active trigger {name}")));
    }
    match &outcome {
        Ok(()) => drop(workspace.schedules.remove(name)),
        Err(_) => schedule.state = Provisioning::Failed,
    }
    outcome
}

/// Somebody changes a schedule by other means: a JSON merge patch of what GET shows, in force at once.
pub fn patched_in_portal(world: &mut World, key: &str, name: &str, patch: &Value, now: Timestamp) -> Reply {
    let (_, schedule) = find(world, key, name)?;
    let mut shown = schedule.json();
    crate::json::merge(&mut shown, patch);
    let mut properties = shown["properties"].as_object().cloned().unwrap_or_default();
    let state = properties.remove("provisioningState");
    let trigger = Trigger::read(&properties["trigger"], now).map_err(|text| errors::invalid(&text))?;
    let missing = errors::missing("Schedule", name);
    let schedule = world.workspaces.get_mut(key).and_then(|ws| ws.schedules.get_mut(name)).ok_or(missing)?;
    schedule.properties = properties;
    schedule.trigger = trigger;
    schedule.state =
        state.as_ref().and_then(Value::as_str).and_then(Provisioning::of).unwrap_or(schedule.state);
    schedule.generation += 1;
    schedule.origin.modified = now;
    fire::arm_quietly(world, key, name, now);
    get(world, key, name)
}

/// The schedules of a workspace, without times of their own making.
pub fn canonical(workspace: &Workspace) -> Value {
    let one = |schedule: &Schedule| {
        let mut shown = schedule.properties.clone();
        shown.insert("provisioningState".into(), schedule.state.word().into());
        (schedule.name.clone(), Value::Object(shown))
    };
    Value::Object(workspace.schedules.values().map(one).collect())
}
