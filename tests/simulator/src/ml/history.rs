//! Run history: what became of jobs and their steps, with times, errors and log files.
//! Source: the client `azure.ai.ml._restclient.runhistory` of azure-ai-ml 1.35.2 (`Run`, `RunDetails`); the service is
//! not documented. Paths: `/history/v1.0{workspace}/runs/{id}[/details|/children]`, `PATCH …/experiments/{name}/runs/{id}`.

use super::jobs::{self, Run};
use super::{Workspace, workspaces};
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::ids::Target;
use crate::blob::{self, Grant};
use crate::clock::stamp;
use crate::execute;
use crate::wire::{Answer, Request};
use crate::world::World;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

/// Answers a request below `/history`.
pub fn answer(world: &mut World, request: &Request) -> Reply {
    let path = request.segments();
    let target = path.get(2..).and_then(Target::parse).ok_or_else(no_route)?;
    let key = workspaces::find(world, &target, &target.rest)?;
    let rest = target.rest.get(2..).unwrap_or_default();
    let rest = match rest {
        [first, _, below @ ..] if first.eq_ignore_ascii_case("experiments") => below,
        all => all,
    };
    match (&request.method, rest) {
        (&Method::GET, ["runs", id]) => {
            let (workspace, run) = jobs::find(world, &key, id)?;
            Ok(Answer::ok(&json(workspace, run)))
        }
        (&Method::GET, ["runs", id, "details"]) => details(world, &key, id),
        (&Method::GET, ["runs", id, "children"]) => {
            let (workspace, _) = jobs::find(world, &key, id)?;
            let children: Vec<Value> =
                workspace.runs.children(id).into_iter().map(|run| json(workspace, run)).collect();
            Ok(Answer::ok(&json!({ "value": children, "continuationToken": null, "nextLink": null })))
        }
        (&Method::GET, ["runs", id, "serviceinstances", _]) => {
            jobs::find(world, &key, id)?;
            Ok(Answer::ok(&json!({ "instances": {} })))
        }
        (&Method::PATCH, ["runs", id]) => patch(world, &key, id, request),
        (_, _) => Err(no_route()),
    }
}

fn no_route() -> Refusal {
    errors::arm(StatusCode::NOT_FOUND, "HttpResourceNotFound", "Run history has nothing under this path.")
}

/// A run as its history tells it.
fn json(workspace: &Workspace, run: &Run) -> Value {
    let mut properties = jobs::properties(run);
    if let Some(step) = run.step() {
        properties.insert("azureml.moduleid".into(), step.component_id.clone().into());
    }
    let text = |key: &str| run.body.get(key).cloned().unwrap_or_default();
    let time = |time: Option<jiff::Timestamp>| time.map(stamp);
    let duration = run.started.zip(run.ended).map(|(from, to)| clock(to.duration_since(from)));
    json!({
        "runNumber": run.number, "runId": run.id, "runUuid": crate::ids::uuid_of(&run.id),
        "parentRunId": run.parent, "rootRunId": run.root, "experimentId": crate::ids::uuid_of(&run.experiment),
        "experimentName": run.experiment, "name": run.node.as_ref().unwrap_or(&run.id), "displayName": run.display_name,
        "status": run.status.word(), "createdUtc": stamp(run.origin.created), "startTimeUtc": time(run.started),
        "endTimeUtc": time(run.ended), "duration": duration, "error": error(run),
        "description": text("description"), "hidden": run.hidden, "scheduleId": run.schedule,
        "runType": if run.pipeline().is_some() { "azureml.PipelineRun" } else { "azureml.StepRun" },
        "dataContainerId": format!("dcid.{}", run.id), "tags": run.body.get("tags").cloned().unwrap_or_else(|| json!({})),
        "properties": properties, "warnings": [], "inputDatasets": [], "outputDatasets": [],
        "target": run.step().and_then(|step| step.compute.as_deref()).and_then(|text| text.rsplit('/').next()),
        "createdBy": { "userName": run.origin.created_by, "userTenantId": null, "userObjectId": null },
        "workspaceId": workspace.guid,
    })
}

/// A duration as .NET writes it.
fn clock(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    format!(
        "{:02}:{:02}:{:02}.{:07}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        duration.subsec_nanos() / 100
    )
}

fn error(run: &Run) -> Value {
    run.error.as_ref().map_or(Value::Null, |failure| {
        json!({
            "error": {
                "code": failure.code, "message": failure.message, "severity": null, "messageFormat": "",
                "messageParameters": {}, "referenceCode": null, "detailsUri": null, "target": null, "details": [],
                "innerError": null,
            },
            "correlation": null, "environment": null, "location": null, "time": run.ended.map(stamp),
            "componentName": null,
        })
    })
}

/// A run with links to its log files.
fn details(world: &World, key: &str, id: &str) -> Reply {
    let (workspace, run) = jobs::find(world, key, id)?;
    let mut shown = json(workspace, run);
    let place = execute::log_place(workspace, id).filter(|place| world.blobs.meta(place).is_some());
    let log = place.map(|place| {
        let grant = Grant { permissions: "r", container: false, lasts: SignedDuration::from_hours(8) };
        let query = blob::signed(&world.keys, &place, grant);
        let url = format!(
            "{}/blob/{}/{}/{}?{query}",
            world.settings.base, place.account, place.container, place.path
        );
        ("user_logs/std_log.txt".to_owned(), Value::String(url))
    });
    shown["logFiles"] = Value::Object(log.into_iter().collect::<Map<_, _>>());
    shown["runDefinition"] = Value::Object(run.body.clone());
    Ok(Answer::ok(&shown))
}

/// Changes what people write on a run: `hidden`, `displayName`, `description`, `tags`.
fn patch(world: &mut World, key: &str, id: &str, request: &Request) -> Reply {
    jobs::find(world, key, id)?;
    let body = request.json().unwrap_or_default();
    let run = world
        .workspaces
        .get_mut(key)
        .and_then(|workspace| workspace.runs.get_mut(id))
        .ok_or_else(no_route)?;
    if let Some(hidden) = body.get("hidden").and_then(Value::as_bool) {
        run.hidden = hidden;
    }
    if let Some(name) = body.get("displayName").and_then(Value::as_str) {
        name.clone_into(&mut run.display_name);
    }
    for key in ["description", "tags"] {
        if let Some(value) = body.get(key).filter(|value| !value.is_null()) {
            run.body.insert(key.into(), value.clone());
        }
    }
    let (workspace, run) = jobs::find(world, key, id)?;
    Ok(Answer::ok(&json(workspace, run)))
}
