//! Jobs: GET, LIST, PUT, cancel, DELETE. A job is a run; the steps of a pipeline are runs below it.
//! Source: Azure REST API, `Jobs_*`; learn.microsoft.com, "Manage and monitor jobs".

mod bind;
mod child;
mod engine;
mod phases;
mod run;
mod show;
mod step;
mod submit;

use super::assets::View;
use super::names::{self, Name};
use super::{Origin, Workspace};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::operations::Work;
use crate::arm::paging::Page;
use crate::json;
use crate::wire::Answer;
use crate::world::World;
use http::{Method, StatusCode};
use serde_json::{Map, Value};

pub use bind::Bound;
pub use engine::{cancel, due};
pub use phases::{compute_gone, executed, granted, timed_out};
pub use run::{Run, Runs, Status};
pub use show::{node_id, properties};
pub use step::Step;
pub use submit::{Context, prepare, start};

/// What of a job can be changed once it exists ("Only description, tags, displayName, properties, and isArchived can be
/// updated", the service's own words).
const MUTABLE: [&str; 6] =
    ["description", "tags", "displayName", "properties", "isArchived", "notificationSetting"];

/// Answers a request below `jobs`.
pub fn answer(world: &mut World, call: &Call<'_>, key: &str, rest: &[&str]) -> Reply {
    match (&call.request.method, rest) {
        (&Method::GET, []) => list(world, call, key),
        (&Method::GET, [name]) => {
            let (workspace, run) = find(world, key, name)?;
            Ok(Answer::ok(&show::job(workspace, run, &world.settings)))
        }
        (&Method::PUT, [name]) => {
            names::check(Name::Asset, name)?;
            put(world, call, key, name)
        }
        (&Method::DELETE, [name]) => delete(world, call, key, name),
        (&Method::POST, [name, action]) if action.eq_ignore_ascii_case("cancel") => {
            request_cancel(world, call, key, name)
        }
        (_, [] | [_]) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}

/// A run of a workspace.
pub fn find<'a>(world: &'a World, key: &str, name: &str) -> Result<(&'a Workspace, &'a Run), Refusal> {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    Ok((workspace, workspace.runs.get(name).ok_or_else(|| errors::missing("Job", name))?))
}

/// Lists the jobs that are no steps, newest first; filters after `Jobs_List`.
fn list(world: &World, call: &Call<'_>, key: &str) -> Reply {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let page = Page::of(call, &world.settings)?;
    let view = View::of(call)?;
    let query = |name: &str| call.request.query(name).map(str::to_owned);
    let (kind, tag, wanted, schedule) =
        (query("jobType"), query("tag"), query("properties"), query("scheduleId"));
    let scheduled = query("scheduled").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let takes = |run: &&Run| {
        let of = |key: &str, name: &str| run.body.get(key).and_then(|map| map.get(name)).map(plain);
        let property = |pair: &str| match pair.split_once('=') {
            Some((name, value)) => of("properties", name).as_deref() == Some(value),
            None => of("properties", pair).is_some(),
        };
        view.takes(run.hidden)
            && kind.as_deref().is_none_or(|kind| run.kind().eq_ignore_ascii_case(kind))
            && tag.as_deref().is_none_or(|tag| of("tags", tag).is_some())
            && wanted.as_deref().is_none_or(|wanted| wanted.split(',').all(property))
            && (!scheduled || run.schedule.is_some())
            && schedule.as_ref().is_none_or(|schedule| run.schedule.as_ref() == Some(schedule))
    };
    let mut jobs: Vec<&Run> = workspace.runs.roots().filter(takes).collect();
    jobs.sort_by_key(|run| std::cmp::Reverse(run.number));
    let items = jobs.into_iter();
    Ok(Answer::ok(&page.cut("value", items, |run| show::job(workspace, run, &world.settings))))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Submits a job, or changes what may be changed of one that exists.
fn put(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let body = call.body()?;
    let mut wanted = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    wanted.retain(|_, value| !value.is_null());
    for map in ["tags", "properties"] {
        json::texts(wanted.get_mut(map));
    }
    let exists = world.workspaces.get(key).is_some_and(|workspace| workspace.runs.get(name).is_some());
    let status = if exists {
        update(world, key, name, &wanted)?;
        StatusCode::OK
    } else {
        let context = Context { name: name.to_owned(), origin: Origin::new(call), schedule: None };
        let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
        let run = prepare(workspace, &wanted, &context)?;
        start(world, key, run, call.now);
        StatusCode::CREATED
    };
    let (workspace, run) = find(world, key, name)?;
    let answer = Answer::json(status, &show::job(workspace, run, &world.settings));
    let here = format!("{}{}", world.settings.base, call.request.target);
    Ok(if exists { answer } else { answer.header("location", &here) })
}

/// Whether what is sent is in what is shown: nulls and keys that were left out do not count.
fn covers(shown: &Value, sent: &Value) -> bool {
    match (shown, sent) {
        (_, Value::Null) => true,
        (Value::Object(shown), Value::Object(sent)) => sent
            .iter()
            .all(|(key, value)| value.is_null() || shown.get(key).is_some_and(|have| covers(have, value))),
        (shown, sent) => shown == sent,
    }
}

/// Changes tags and the like; refuses everything else with the service's words.
fn update(world: &mut World, key: &str, name: &str, wanted: &Map<String, Value>) -> Result<(), Refusal> {
    let (workspace, run) = find(world, key, name)?;
    let shown = show::job(workspace, run, &world.settings);
    let same = |key: &String, value: &Value| {
        let have = |have: &Value| covers(have, value);
        run.body.get(key).is_some_and(have) || shown["properties"].get(key).is_some_and(have)
    };
    let fixed = |key: &String| !MUTABLE.contains(&key.as_str()) && key != "status" && key != "services";
    let altered = wanted.iter().find(|(key, value)| fixed(key) && !same(key, value));
    let old = run.body.get("properties").and_then(Value::as_object);
    let properties = wanted.get("properties").and_then(Value::as_object).into_iter().flatten();
    let rewritten = properties.filter(|(key, value)| {
        let have = old.and_then(|old| old.get(*key)).or_else(|| shown["properties"]["properties"].get(*key));
        have.is_some_and(|have| have != *value)
    });
    if let Some(field) =
        altered.map(|(key, _)| key.clone()).or_else(|| rewritten.map(|(key, _)| key.clone()).next())
    {
        let text = format!(
            "A job with this name already exists. If you are trying to submit a new job, use a different name. If you \
             are trying to update an existing job, the existing job's {field} cannot be changed. Only description, \
             tags, displayName, properties, and isArchived can be updated."
        );
        return Err(errors::mfe(StatusCode::BAD_REQUEST, &["Immutable", "JobPropertyImmutable"], &text));
    }
    let run = world.workspaces.get_mut(key).and_then(|workspace| workspace.runs.get_mut(name));
    let run = run.ok_or_else(|| errors::missing("Job", name))?;
    for key in MUTABLE {
        match wanted.get(key) {
            Some(value) if value.is_object() => {
                json::merge(run.body.entry(key).or_insert_with(|| Value::Object(Map::new())), value);
            }
            Some(value) => drop(run.body.insert(key.into(), value.clone())),
            None => {}
        }
    }
    run.hidden = run.body.get("isArchived") == Some(&Value::Bool(true));
    if let Some(name) = run.body.get("displayName").and_then(Value::as_str) {
        name.clone_into(&mut run.display_name);
    }
    Ok(())
}

/// Asks a job to end; it is over when the operation is. A pipeline that has ended says so, a command job says nothing.
fn request_cancel(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let (workspace, run) = find(world, key, name)?;
    if run.status.is_over() && run.pipeline().is_none() {
        return Ok(Answer::empty(StatusCode::OK));
    }
    if run.status.is_over() {
        let text = format!("The pipeline run {name} is in terminal status, it can't be canceled.");
        let codes = ["BadArgument", "ArgumentInvalid", "CancelPipelineRunInTerminalStatus"];
        return Err(errors::mfe(StatusCode::BAD_REQUEST, &codes, &text));
    }
    let id = format!("{}/jobs/{name}", workspace.id());
    let asked = run.status == Status::CancelRequested;
    engine::request_cancel(world, key, name);
    if asked {
        return Ok(Answer::empty(StatusCode::OK));
    }
    let operation = world.begin(id, Work::JobCanceled(key.to_owned(), name.to_owned()), call.now);
    Ok(world.follow(Answer::empty(StatusCode::ACCEPTED), &operation, call))
}

/// Removes a job that is over, with its steps.
fn delete(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let Ok((workspace, run)) = find(world, key, name) else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    if !run.status.is_over() {
        let text =
            format!("The job {name} is {}; only a job that is over can be deleted.", run.status.word());
        return Err(errors::mfe(StatusCode::CONFLICT, &["Conflict"], &text));
    }
    let id = format!("{}/jobs/{name}", workspace.id());
    let operation = world.begin(id, Work::JobDeleted(key.to_owned(), name.to_owned()), call.now);
    Ok(world.follow(Answer::empty(StatusCode::ACCEPTED), &operation, call))
}

/// The jobs of a workspace by what they are and how they ended, without names and times.
pub fn canonical(workspace: &Workspace) -> Value {
    let one = |run: &Run| {
        let mut body = run.body.clone();
        body.retain(|key, _| {
            ["jobType", "experimentName", "displayName", "componentId", "isArchived"].contains(&key.as_str())
        });
        body.insert("status".into(), run.status.word().into());
        body.insert("schedule".into(), run.schedule.clone().into());
        Value::Object(body)
    };
    let mut jobs: Vec<Value> = workspace.runs.roots().map(one).collect();
    jobs.sort_by_key(ToString::to_string);
    jobs.into()
}
