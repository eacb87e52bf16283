//! Schedules: GET, LIST, PUT, DELETE, trigger. They fire by themselves, on the simulator's clock.
//! Source: Azure REST API, `Schedules_*`; learn.microsoft.com, "Schedule machine learning pipeline jobs".

mod fire;
mod recurrence;
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
    /// Counts its changes, so that a firing set before one is known to be old.
    pub generation: u64,
    /// Who made it, and when.
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

    fn json(&self, workspace: &Workspace) -> Value {
        let mut properties = self.properties.clone();
        for key in ["tags", "properties"] {
            properties.entry(key).or_insert_with(|| json!({}));
        }
        properties.insert("isEnabled".into(), self.is_enabled().into());
        properties.insert("provisioningState".into(), self.state.word().into());
        json!({
            "id": format!("{}/schedules/{}", workspace.id(), self.name), "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/schedules", "properties": properties,
            "systemData": self.origin.json(),
        })
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

/// A schedule of a workspace.
pub fn find<'a>(world: &'a World, key: &str, name: &str) -> Result<(&'a Workspace, &'a Schedule), Refusal> {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    Ok((workspace, workspace.schedules.get(name).ok_or_else(|| errors::missing("Schedule", name))?))
}

fn get(world: &World, key: &str, name: &str) -> Reply {
    let (workspace, schedule) = find(world, key, name)?;
    Ok(Answer::ok(&schedule.json(workspace)))
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
    let items = workspace.schedules.values().filter(takes);
    Ok(Answer::ok(&page.cut("value", items, |schedule| schedule.json(workspace))))
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
        state: if have.is_some() { Provisioning::Updating } else { Provisioning::Creating },
        generation: have.as_ref().map_or(1, |have| have.generation + 1),
        origin,
    };
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let id = format!("{}/schedules/{name}", workspace.id());
    workspace.schedules.insert(name.to_owned(), schedule);
    let operation = world.begin(id, Work::ScheduleWritten(key.to_owned(), name.to_owned()), call.now);
    let (workspace, schedule) = find(world, key, name)?;
    let status = if have.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(world.follow(Answer::json(status, &schedule.json(workspace)), &operation, call))
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

/// Removes a schedule, which must be disabled.
fn delete(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let id = format!("{}/schedules/{name}", workspace.id());
    let Some(schedule) = workspace.schedules.get_mut(name) else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    if schedule.state.is_busy() {
        return Err(errors::busy(name, schedule.state.word()));
    }
    if schedule.is_enabled() {
        let text = format!("The schedule {name} is enabled. It must be disabled before it can be deleted.");
        return Err(errors::mfe(StatusCode::BAD_REQUEST, &["BadArgument", "ScheduleEnabled"], &text));
    }
    schedule.state = Provisioning::Deleting;
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
    if let Some(schedule) = schedule {
        schedule.state = if outcome.is_ok() { Provisioning::Succeeded } else { Provisioning::Failed };
        fire::arm(world, key, name, at);
    }
    outcome
}

/// The removal of a schedule ends.
pub fn deleted(
    world: &mut World,
    key: &str,
    name: &str,
    outcome: Result<(), Failure>,
) -> Result<(), Failure> {
    if let Some(workspace) = world.workspaces.get_mut(key) {
        match (&outcome, workspace.schedules.get_mut(name)) {
            (Ok(()), _) => drop(workspace.schedules.remove(name)),
            (Err(_), Some(schedule)) => schedule.state = Provisioning::Failed,
            (Err(_), None) => {}
        }
    }
    outcome
}

/// Somebody changes a schedule by other means: a JSON merge patch of what GET shows, in force at once.
pub fn patched_in_portal(world: &mut World, key: &str, name: &str, patch: &Value, now: Timestamp) -> Reply {
    let (workspace, schedule) = find(world, key, name)?;
    let mut shown = schedule.json(workspace);
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
