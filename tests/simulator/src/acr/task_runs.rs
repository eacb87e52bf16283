//! Task runs: builds with a name, that run again only when they are asked for something else.
//! Source: Azure REST API, `TaskRuns_*` 2019-06-01-preview: `forceUpdateTag` says "how the run should be forced to rerun
//! even if the run request configuration has not changed"; so an unchanged request and tag do not run again.

use super::Registry;
use super::runs::{self, Status};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::operations;
use crate::arm::paging::Page;
use crate::faults::Failure;
use crate::ml::{Origin, Provisioning};
use crate::wire::Answer;
use crate::world::World;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// One task run.
#[derive(Clone, Debug)]
pub struct TaskRun {
    /// Its name as first written.
    pub name: String,
    /// What is to be run.
    pub request: Map<String, Value>,
    /// The tag that forces another run when it changes.
    pub force: Option<String>,
    /// Its run.
    pub run: String,
    /// How far it is.
    pub state: Provisioning,
    location: String,
    identity: Option<Value>,
    operation: String,
    origin: Origin,
}

/// A run request without its secrets.
fn shown(request: &Map<String, Value>) -> Value {
    let mut request = request.clone();
    if let Some(credentials) = request.get_mut("credentials").and_then(Value::as_object_mut) {
        credentials.remove("customRegistries");
    }
    for argument in request.get_mut("arguments").and_then(Value::as_array_mut).into_iter().flatten() {
        if argument.get("isSecret") == Some(&Value::Bool(true)) {
            argument["value"] = "".into();
        }
    }
    Value::Object(request)
}

impl TaskRun {
    fn json(&self, registry: &Registry) -> Value {
        let mut properties =
            json!({ "provisioningState": self.state.word(), "runRequest": shown(&self.request) });
        if let Some(run) = registry.runs.get(&self.run) {
            properties["runResult"] = run.json(registry);
        }
        let mut shown = json!({
            "id": format!("{}/taskRuns/{}", registry.id(), self.name), "name": self.name,
            "type": "Microsoft.ContainerRegistry/registries/taskRuns", "location": self.location,
            "properties": properties, "systemData": self.origin.json(),
        });
        if let Some(identity) = &self.identity {
            shown["identity"] = identity.clone();
        }
        shown
    }
}

/// Answers a request below `taskRuns`.
pub fn answer(world: &mut World, call: &Call<'_>, key: &str, rest: &[&str]) -> Reply {
    match (&call.request.method, rest) {
        (&Method::GET, []) => list(world, call, key),
        (&Method::GET, [name]) => get(world, key, name),
        (&Method::POST, [name, action]) if action.eq_ignore_ascii_case("listDetails") => {
            get(world, key, name)
        }
        (&Method::GET, [name, kind, run]) if kind.eq_ignore_ascii_case("operationStatuses") => {
            let registry = world.registries.get(key).ok_or_else(|| errors::no_route(call))?;
            operations::below(world, call, &format!("{}/taskRuns/{name}", registry.id()), run)
        }
        (&Method::PUT, [name]) => put(world, call, key, name),
        (&Method::PATCH, [name]) => patch(world, call, key, name),
        (&Method::DELETE, [name]) => {
            let registry = world.registries.get_mut(key).ok_or_else(|| errors::no_route(call))?;
            let gone = registry.task_runs.remove(&name.to_ascii_lowercase()).is_some();
            Ok(Answer::empty(if gone { StatusCode::OK } else { StatusCode::NO_CONTENT }))
        }
        (_, [] | [_]) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}

fn find<'a>(world: &'a World, key: &str, name: &str) -> Result<(&'a Registry, &'a TaskRun), Refusal> {
    let registry = world.registries.get(key).ok_or_else(|| errors::no_parent(key))?;
    let kind = format!("Microsoft.ContainerRegistry/registries/{}/taskRuns/{name}", registry.name);
    let found = registry.task_runs.get(&name.to_ascii_lowercase());
    Ok((registry, found.ok_or_else(|| errors::no_resource(&kind, &registry.group))?))
}

fn get(world: &World, key: &str, name: &str) -> Reply {
    let (registry, task_run) = find(world, key, name)?;
    Ok(Answer::ok(&task_run.json(registry)))
}

fn list(world: &World, call: &Call<'_>, key: &str) -> Reply {
    let registry = world.registries.get(key).ok_or_else(|| errors::no_route(call))?;
    let page = Page::of(call, &world.settings)?;
    let items = registry.task_runs.values();
    Ok(Answer::ok(&page.cut("value", items, |task_run| task_run.json(registry))))
}

fn put(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let legal = (5..=50).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !legal {
        let text = format!("The name '{name}' is not valid: 5 to 50 letters, digits and hyphens.");
        return Err(errors::arm(StatusCode::BAD_REQUEST, "InvalidName", &text));
    }
    run(world, call, key, name, &call.body()?)
}

fn patch(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let (_, have) = find(world, key, name)?;
    let mut body = json!({
        "location": have.location,
        "properties": { "runRequest": have.request, "forceUpdateTag": have.force },
    });
    crate::json::merge(&mut body, &Value::Object(call.body()?));
    let answer = run(world, call, key, name, body.as_object().unwrap_or(&Map::new()))?;
    // Recorded for a request that is the same, which does not run again.
    Ok(Answer { status: StatusCode::CREATED, ..answer })
}

/// Runs what is asked for, unless it has run, or is running, already.
fn run(world: &mut World, call: &Call<'_>, key: &str, name: &str, body: &Map<String, Value>) -> Reply {
    let properties = body.get("properties").cloned().unwrap_or_default();
    let request = properties.get("runRequest").and_then(Value::as_object).cloned();
    let request = request.ok_or_else(|| {
        let text = "The simulator runs task runs that have a runRequest.";
        errors::arm(StatusCode::BAD_REQUEST, "BadRequest", text)
    })?;
    runs::check(&request)?;
    let force = properties.get("forceUpdateTag").and_then(Value::as_str).map(str::to_owned);
    let have = find(world, key, name).ok().map(|(_, have)| have.clone());
    if let Some(have) = &have {
        if have.request == request && have.force == force {
            return get(world, key, name);
        }
        if have.state.is_busy() {
            return Err(errors::busy(name, have.state.word()));
        }
    }
    let run = runs::start(world, key, request.clone(), Some(name.to_owned()), call.now);
    let run = run.ok_or_else(|| errors::no_route(call))?;
    let resource = world.registries.get(key).map(|registry| format!("{}/taskRuns/{name}", registry.id()));
    let operation = world.begin_build(resource.ok_or_else(|| errors::no_route(call))?, &run, call.now);
    let registry = world.registries.get_mut(key).ok_or_else(|| errors::no_route(call))?;
    let mut origin = have.as_ref().map_or_else(|| Origin::new(call), |have| have.origin.clone());
    origin.touch(call);
    let made = TaskRun {
        name: have.as_ref().map_or_else(|| name.to_owned(), |have| have.name.clone()),
        location: body.get("location").and_then(Value::as_str).unwrap_or(&registry.region).to_owned(),
        identity: body.get("identity").filter(|identity| identity.is_object()).cloned(),
        state: if have.is_some() { Provisioning::Updating } else { Provisioning::Creating },
        request,
        force,
        run,
        operation: operation.clone(),
        origin,
    };
    registry.task_runs.insert(name.to_ascii_lowercase(), made);
    let status = if have.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let (registry, task_run) = find(world, key, name)?;
    Ok(world.follow(Answer::json(status, &task_run.json(registry)), &operation, call))
}

/// The run of a task run has ended.
pub fn ended(world: &mut World, key: &str, name: &str, run: &str, at: Timestamp) {
    let Some(registry) = world.registries.get_mut(key) else { return };
    let Some((status, error)) = registry.runs.get(run).map(|run| (run.status, run.error.clone())) else {
        return;
    };
    let task_run = registry.task_runs.get_mut(&name.to_ascii_lowercase());
    let Some(task_run) = task_run.filter(|task_run| task_run.run == run) else { return };
    let good = status == Status::Succeeded;
    task_run.state = match status {
        Status::Succeeded => Provisioning::Succeeded,
        Status::Canceled => Provisioning::Canceled,
        Status::Failed | Status::Timeout | Status::Queued | Status::Started | Status::Running => {
            Provisioning::Failed
        }
    };
    let outcome = if good {
        Ok(())
    } else {
        let text = error.unwrap_or_else(|| format!("The run '{run}' ended with {}.", status.word()));
        Err(Failure::new("RunFailed", text))
    };
    if let Some(operation) = world.operations.get_mut(&task_run.operation) {
        operation.end(at, outcome);
    }
}
