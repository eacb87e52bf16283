//! Run history: what became of jobs and their steps, with times, errors and log files.
//! Source: the client `azure.ai.ml._restclient.runhistory` of azure-ai-ml 1.35.2 (`Run`, `RunDetails`); the service is
//! not documented. Paths: `/history/v1.0{workspace}/runs/{id}[/details|/children]`, `PATCH …/experiments/{name}/runs/{id}`.

use super::jobs::{self, Run};
use super::workspaces;
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
            let (_, run) = jobs::find(world, &key, id)?;
            Ok(Answer::ok(&json(run)))
        }
        (&Method::GET, ["runs", id, "details"]) => details(world, &key, id),
        (&Method::GET, ["runs", id, "children"]) => {
            let (workspace, _) = jobs::find(world, &key, id)?;
            let children: Vec<Value> = workspace.runs.children(id).into_iter().map(json).collect();
            Ok(Answer::ok(&json!({ "value": children })))
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

/// What a run and its details have in common.
fn common(run: &Run) -> Map<String, Value> {
    let time = |time: Option<jiff::Timestamp>| time.map(stamp);
    let duration = run.started.zip(run.ended).map(|(from, to)| clock(to.duration_since(from)));
    let is_pipeline = run.pipeline().is_some();
    let uuid = |id: &String| crate::ids::uuid_of(id);
    let person = json!({
        "userObjectId": uuid(&run.origin.created_by), "userPuId": "10030000A1B2C3D4", "userIdp": null,
        "userAltSecId": null, "userIss": "https://sts.windows.net/", "userTenantId": uuid(&run.id),
        "userName": run.origin.created_by, "upn": null,
    });
    let target = run.step().and_then(|step| step.compute.as_deref()).and_then(|text| text.rsplit('/').next());
    let mut tags = run.body.get("tags").cloned().unwrap_or_else(|| json!({}));
    if let (Some(node), Some(parent)) = (&run.node, &run.parent) {
        tags["azureml.nodeid"] = jobs::node_id(parent, node).into();
        tags["azureml.pipeline"] = parent.as_str().into();
    }
    let kind = if is_pipeline {
        json!({ "orchestrator": "Pipeline", "traits": ["azureml.PipelineRun", "MFE", "HTTP", "DevPlatv2"],
                "attribution": null, "computeType": null })
    } else {
        json!({ "orchestrator": "Execution", "traits": ["azureml.StepRun", "scriptRun", "remote"],
                "attribution": "Aether", "computeType": "AmlcTrain" })
    };
    let compute = target.map(|target| {
        json!({ "target": target, "targetType": "amlcompute", "vmSize": null, "instanceType": null,
                "instanceCount": 1, "gpuCount": 0, "priority": null, "region": null, "armId": null, "properties": null })
    });
    let all = json!({
        "runId": run.id, "runUuid": uuid(&run.id), "runNumber": run.number, "parentRunId": run.parent,
        "parentRunUuid": run.parent.as_ref().map(uuid), "rootRunId": run.root, "rootRunUuid": uuid(&run.root),
        "status": run.status.word(), "startTimeUtc": time(run.started), "endTimeUtc": time(run.ended),
        "duration": duration, "computeDuration": duration, "effectiveStartTimeUtc": null, "lastStartTimeUtc": null,
        "currentComputeTime": null, "currentAttemptId": null, "error": error(run), "warnings": null, "tags": tags,
        "dataContainerId": format!("dcid.{}", run.id), "properties": jobs::properties(run), "parameters": {},
        "target": target, "services": {}, "settings": {}, "inputDatasets": [], "outputDatasets": [],
        "runTypeV2": kind, "revision": 1, "statusRevision": 1, "userId": person["userObjectId"], "createdBy": person,
        "lastModifiedBy": person, "lastModifiedUtc": stamp(run.origin.modified), "compute": compute,
        "computeRequest": target.map(|_| json!({ "nodeCount": 1, "gpuCount": 0 })), "inputs": null, "outputs": null,
    });
    all.as_object().cloned().unwrap_or_default()
}

/// A run as its history tells it. A step has the name of its component, and its own name only as its display name.
fn json(run: &Run) -> Value {
    let component = run.step().filter(|_| run.parent.is_some()).map(|step| step.component.as_str());
    let name = component.or(run.node.as_deref()).unwrap_or(&run.id);
    let mut all = common(run);
    let own = json!({
        "experimentId": crate::ids::uuid_of(&run.experiment), "name": name, "displayName": run.display_name,
        "createdUtc": stamp(run.origin.created), "description": run.body.get("description"), "hidden": run.hidden,
        "scheduleId": run.schedule,
        "runType": if run.pipeline().is_some() { "azureml.PipelineRun" } else { "azureml.StepRun" },
        "actionUris": { "Cancel": format!("/runs/{}/Cancel", run.id), "Diagnose": "" },
        "cancelUri": format!("/runs/{}/Cancel", run.id), "completeUri": null, "diagnosticsUri": "",
        "cancelationReason": null, "createdFrom": null, "jobSpecification": null, "primaryMetricName": null,
        "queueingInfo": null, "retainForLifetimeOfWorkspace": null, "runDefinition": null, "scriptName": null,
        "token": null, "tokenExpiryTimeUtc": null, "uniqueChildRunComputeTargets": [],
    });
    all.extend(own.as_object().cloned().unwrap_or_default());
    Value::Object(all)
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
    let reference = if run.pipeline().is_some() { "PipelineHasStepJobFailed" } else { "" };
    run.error.as_ref().map_or(Value::Null, |failure| {
        json!({
            "error": {
                "code": failure.code, "message": failure.message, "severity": null, "messageFormat": failure.message,
                "messageParameters": {}, "referenceCode": reference, "detailsUri": null, "target": null, "details": [],
                "innerError": null, "debugInfo": null, "additionalInfo": null,
            },
            "correlation": null, "environment": "westeurope", "location": "westeurope", "time": run.ended.map(stamp),
            "componentName": "",
        })
    })
}

/// A run with links to its log files.
fn details(world: &World, key: &str, id: &str) -> Reply {
    let (workspace, run) = jobs::find(world, key, id)?;
    let mut shown = common(run);
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
    shown.insert("logFiles".into(), Value::Object(log.into_iter().collect::<Map<_, _>>()));
    shown.insert("createdTimeUtc".into(), stamp(run.origin.created).into());
    shown.insert("runDefinition".into(), pascal(&Value::Object(run.body.clone())));
    shown.insert("inputs".into(), json!({}));
    let cost = json!({ "chargedCpuCoreSeconds": null, "chargedCpuMemoryMegabyteSeconds": null,
                       "chargedGpuSeconds": null, "chargedNodeUtilizationSeconds": null });
    shown.insert("jobCost".into(), cost);
    Ok(Answer::ok(&Value::Object(shown)))
}

/// The definition of a job as its history keeps it: the names of its properties begin with a capital letter.
fn pascal(definition: &Value) -> Value {
    let capital = |key: &String| {
        let mut letters = key.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
            .unwrap_or_default()
    };
    let all = definition.as_object().into_iter().flatten();
    Value::Object(all.map(|(key, value)| (capital(key), value.clone())).collect())
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
    let (_, run) = jobs::find(world, key, id)?;
    Ok(Answer::ok(&json(run)))
}
