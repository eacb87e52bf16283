//! Invoking a batch endpoint: POST to its scoring URI makes a job of a deployment; GET below it tells the job's status.
//! Source: learn.microsoft.com, "Create jobs and input data for batch endpoints" (its REST tabs); lists of jobs as
//! azure-ai-ml 1.35.2 asks for them.

use super::{Deployment, Endpoint};
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::ids::{self, Target};
use crate::entra::Caller;
use crate::ml::jobs::{self, Context, Run};
use crate::ml::{Origin, Workspace, workspaces};
use crate::wire::{Answer, Request};
use crate::world::World;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Answers a request below `/inference/{region}/{endpoint}/jobs`.
pub fn answer(world: &mut World, request: &Request, caller: &Caller, now: Timestamp) -> Reply {
    let path = request.segments();
    let [_, region, endpoint, "jobs", rest @ ..] = path.as_slice() else { return Err(no_route()) };
    let key = ids::key(endpoint);
    let here = world.workspaces.iter().find(|(_, workspace)| {
        workspace.region.eq_ignore_ascii_case(region) && workspace.endpoints.contains_key(&key)
    });
    let (workspace, _) = here.ok_or_else(|| errors::missing("BatchEndpoint", endpoint))?;
    let workspace = workspace.clone();
    match (&request.method, rest) {
        (&Method::POST, []) => post(world, request, (&workspace, endpoint), &Origin::by(&caller.app, now)),
        (&Method::GET, [name]) => {
            let (workspace, run) = jobs::find(world, &workspace, name)?;
            Ok(Answer::ok(&json(workspace, run)))
        }
        (_, _) => Err(no_route()),
    }
}

fn no_route() -> Refusal {
    errors::arm(StatusCode::NOT_FOUND, "HttpResourceNotFound", "The endpoint has nothing under this path.")
}

/// A member of an object, whatever its case.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn post(world: &mut World, request: &Request, (key, endpoint): (&str, &str), origin: &Origin) -> Reply {
    let body = request.json().map_err(|error| errors::invalid(&format!("The body is not JSON: {error}.")))?;
    let name = world.ids.uuid();
    let (workspace, found) = super::find(world, key, endpoint)?;
    let wanted = request.header("azureml-model-deployment").or(found.default.as_deref());
    let wanted = wanted
        .ok_or_else(|| errors::invalid(&format!("The endpoint '{endpoint}' has no default deployment.")))?;
    let deployment =
        found.deployments.get(&ids::key(wanted)).ok_or_else(|| errors::missing("BatchDeployment", wanted))?;
    let job = job(found, deployment, &body)?;
    let context = Context { name: name.clone(), origin: origin.clone(), schedule: None };
    let mut run = jobs::prepare(workspace, &job, &context)?;
    run.facts.insert("azureml.endpointname".into(), found.name.clone());
    run.facts.insert("azureml.deploymentname".into(), deployment.name.clone());
    run.facts.insert("azureml.runLineageType".into(), "batchDeployment".into());
    let deployment = deployment.clone();
    jobs::start(world, key, run, origin.created);
    let (deployment, version) = (deployment.name.clone(), "2020-09-01-dataplanepreview");
    let (workspace, run) = jobs::find(world, key, &name)?;
    let id = workspace.id();
    let front = format!("{}/mferp/managementfrontend{id}/batchEndpoints/{endpoint}", world.settings.base);
    let here = format!("{front}/deployments/{deployment}?api-version={version}");
    let answer = Answer::json(StatusCode::CREATED, &json(workspace, run));
    Ok(answer.header("azureml-model-deployment", &deployment).header("location", &here))
}

/// The body of the pipeline job that an invocation makes.
fn job(endpoint: &Endpoint, deployment: &Deployment, body: &Value) -> Result<Map<String, Value>, Refusal> {
    let properties = member(body, "properties").cloned().unwrap_or_default();
    let configuration = deployment.properties.get("deploymentConfiguration").cloned().unwrap_or_default();
    let inner = member(&properties, "properties").cloned().unwrap_or_default();
    let experiment = member(&inner, "experimentName").or_else(|| member(&properties, "experimentName"));
    let mut job = Map::from_iter([
        ("jobType".into(), json!("Pipeline")),
        ("componentId".into(), json!(deployment.component())),
        ("jobs".into(), json!({})),
        ("experimentName".into(), experiment.cloned().unwrap_or_else(|| json!(endpoint.name))),
        ("displayName".into(), json!(format!("{}-{}", endpoint.name, deployment.name))),
        ("settings".into(), settings(configuration.get("settings"))),
        ("tags".into(), configuration.get("tags").cloned().unwrap_or_else(|| json!({}))),
        ("inputs".into(), data(member(&properties, "inputData"), "jobInputType")?),
        ("outputs".into(), data(member(&properties, "outputData"), "jobOutputType")?),
    ]);
    if let Some(text) = configuration.get("description") {
        job.insert("description".into(), text.clone());
    }
    Ok(job)
}

/// The settings of a deployment, which are all text, as those of a job, where switches are booleans.
fn settings(given: Option<&Value>) -> Value {
    let switch = |value: &Value| match value.as_str()?.to_ascii_lowercase().as_str() {
        "true" => Some(json!(true)),
        "false" => Some(json!(false)),
        _ => None,
    };
    let all = given.and_then(Value::as_object).into_iter().flatten();
    all.map(|(key, value)| (key.clone(), switch(value).unwrap_or_else(|| value.clone())))
        .collect::<Map<_, _>>()
        .into()
}

/// Inputs or outputs of an invocation, in the words of jobs.
fn data(given: Option<&Value>, kind: &str) -> Result<Value, Refusal> {
    let mut all = Map::new();
    for (name, value) in given.and_then(Value::as_object).into_iter().flatten() {
        let word = member(value, kind).and_then(Value::as_str).unwrap_or("Literal");
        let plain = match word.to_ascii_lowercase().replace('_', "").as_str() {
            "literal" => "literal",
            "urifile" => "uri_file",
            "urifolder" => "uri_folder",
            "mltable" => "mltable",
            "custommodel" => "custom_model",
            "mlflowmodel" => "mlflow_model",
            "tritonmodel" => "triton_model",
            _ => return Err(errors::invalid(&format!("'{name}' has the unknown {kind} '{word}'."))),
        };
        let mut one = json!({ kind: plain });
        for key in ["uri", "value"] {
            if let Some(value) = member(value, key) {
                one[key] = value.as_str().map_or_else(|| json!(value.to_string()), |text| json!(text));
            }
        }
        all.insert(name.clone(), one);
    }
    Ok(Value::Object(all))
}

/// A job as the endpoint shows it: its id names no endpoint, and its name in the properties is one for people.
fn json(workspace: &Workspace, run: &Run) -> Value {
    let id = workspace.id();
    let endpoint = |name: &str, uri: String| json!({ "jobEndpointType": name, "port": null, "endpoint": uri, "properties": null });
    let deployment = run.facts.get("azureml.deploymentname");
    let system = json!({
        "createdAt": crate::clock::stamp(run.origin.created), "createdBy": run.origin.created_by,
        "lastModifiedAt": crate::clock::stamp(run.origin.modified), "lastModifiedBy": run.origin.modified_by,
    });
    json!({
        "id": format!("{id}/batchEndpoints//jobs/{}", run.id), "name": run.id,
        "type": "Microsoft.MachineLearningServices/workspaces/batchEndpoints/jobs",
        "properties": {
            "provisioningState": "Succeeded", "status": run.status.word(), "inputData": sent(run),
            "compute": { "target": null, "instanceCount": null, "isLocal": false, "location": null,
                         "instanceType": null, "properties": null },
            "output": { "datastoreId": null, "path": null },
            "interactionEndpoints": {
                "Tracking": endpoint("Tracking", format!("azureml://westeurope.api.azureml.ms/mlflow/v1.0{id}?")),
                "Studio": endpoint("Studio", format!("https://ml.azure.sim/runs/{}?wsid={id}", run.id)),
            },
            "tags": { "azureml.deploymentname": deployment }, "properties": jobs::properties(run),
            "name": run.display_name,
        },
        "systemData": system,
    })
}

/// The inputs of an invocation as they come back: in the words of the endpoint, with a mode.
fn sent(run: &Run) -> Value {
    let word = |kind: &str| match kind {
        "literal" => "Literal".to_owned(),
        "uri_file" => "UriFile".to_owned(),
        "uri_folder" => "UriFolder".to_owned(),
        "mltable" => "MLTable".to_owned(),
        other => other.to_owned(),
    };
    let all = run.body.get("inputs").and_then(Value::as_object).into_iter().flatten();
    let one = |(name, value): (&String, &Value)| {
        let mut shown =
            json!({ "description": null, "jobInputType": word(crate::json::text(value, "/jobInputType")) });
        for key in ["uri", "value"] {
            if let Some(value) = value.get(key) {
                shown[key] = value.clone();
            }
        }
        if shown.get("uri").is_some() {
            shown["mode"] = "ReadOnlyMount".into();
        }
        (name.clone(), shown)
    };
    Value::Object(all.map(one).collect())
}

/// `GET /mferp/managementfrontend{workspace}/batchEndpoints/{endpoint}[/deployments/{deployment}]/jobs`.
pub fn list_jobs(world: &World, request: &Request) -> Reply {
    let path = request.segments();
    let target = path.get(2..).and_then(Target::parse).ok_or_else(no_route)?;
    let key = workspaces::find(world, &target, &target.rest)?;
    let (endpoint, deployment) = match target.rest.get(2..).unwrap_or_default() {
        [_, endpoint, "jobs"] => (*endpoint, None),
        [_, endpoint, _, deployment, "jobs"] => (*endpoint, Some(*deployment)),
        _ => return Err(no_route()),
    };
    let (workspace, _) = super::find(world, &key, endpoint)?;
    let made = |run: &&Run| {
        let fact = |name: &str| run.facts.get(name).map(String::as_str);
        fact("azureml.endpointname").is_some_and(|name| name.eq_ignore_ascii_case(endpoint))
            && deployment.is_none_or(|wanted| {
                fact("azureml.deploymentname").is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            })
    };
    let all: Vec<Value> = workspace.runs.roots().filter(made).map(|run| json(workspace, run)).collect();
    Ok(Answer::ok(&json!({ "value": all })))
}
