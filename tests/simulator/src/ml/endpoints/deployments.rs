//! Deployments of pipeline components behind a batch endpoint: GET, LIST, PUT, PATCH, DELETE.
//! Source: Azure REST API, `BatchDeployments_*`, `BatchPipelineComponentDeploymentConfiguration`.

use super::{find, find_mut};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::ids;
use crate::arm::operations::Work;
use crate::arm::paging::Page;
use crate::faults::Failure;
use crate::ml::names::{self, Name};
use crate::ml::{Origin, Provisioning, Workspace, graph};
use crate::wire::Answer;
use crate::world::World;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

/// Deployments of one endpoint.
const CAP: usize = 20;

/// One deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The name as first written.
    pub name: String,
    /// Tags.
    pub tags: Value,
    /// Its properties as they were PUT.
    pub properties: Map<String, Value>,
    /// How far its provisioning is.
    pub state: Provisioning,
    origin: Origin,
}

impl Deployment {
    /// The component it runs.
    pub fn component(&self) -> Option<&str> {
        self.properties.get("deploymentConfiguration")?.pointer("/componentId/assetId")?.as_str()
    }

    /// A deployment of a pipeline component: what belongs to models is there, null or zero.
    fn json(&self, workspace: &Workspace, endpoint: &str) -> Value {
        let mut properties = json!({
            "description": null, "properties": {}, "codeConfiguration": null, "environmentId": null,
            "environmentVariables": null, "compute": null, "errorThreshold": 0,
            "retrySettings": { "maxRetries": 0, "timeout": "PT0S" }, "miniBatchSize": 0, "loggingLevel": "Info",
            "model": null, "maxConcurrencyPerInstance": 0, "outputAction": "SummaryOnly", "outputFileName": null,
            "resources": { "instanceCount": 1, "instanceType": null, "properties": null },
        });
        if let Some(shown) = properties.as_object_mut() {
            shown.extend(self.properties.clone());
            shown.insert("provisioningState".into(), self.state.word().into());
        }
        json!({
            "id": format!("{}/batchEndpoints/{endpoint}/deployments/{}", workspace.id(), self.name), "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments",
            "location": workspace.region, "tags": self.tags, "properties": properties, "systemData": self.origin.short(),
        })
    }
}

/// Answers a request below `deployments` of an endpoint: (workspace, endpoint).
pub fn answer(world: &mut World, call: &Call<'_>, at: (&str, &str), rest: &[&str]) -> Reply {
    let (key, endpoint) = at;
    match (&call.request.method, rest) {
        (&Method::GET, []) => list(world, call, at),
        (&Method::GET, [name]) => get(world, at, name),
        (&Method::PUT, [name]) => put(world, call, at, name),
        (&Method::PATCH, [name]) => {
            patch(find_deployment(world, at, name)?, call, &call.body()?);
            get(world, (key, endpoint), name)
        }
        (&Method::DELETE, [name]) => delete(world, call, at, name),
        (_, [] | [_]) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}

fn missing(name: &str) -> Refusal {
    errors::missing("BatchDeployment", name)
}

fn find_deployment<'a>(
    world: &'a mut World,
    (key, endpoint): (&str, &str),
    name: &str,
) -> Result<&'a mut Deployment, Refusal> {
    find_mut(world, key, endpoint)?.deployments.get_mut(&ids::key(name)).ok_or_else(|| missing(name))
}

fn get(world: &World, (key, endpoint): (&str, &str), name: &str) -> Reply {
    let (workspace, endpoint) = find(world, key, endpoint)?;
    let deployment = endpoint.deployments.get(&ids::key(name)).ok_or_else(|| missing(name))?;
    Ok(Answer::ok(&deployment.json(workspace, &endpoint.name)))
}

fn list(world: &World, call: &Call<'_>, (key, endpoint): (&str, &str)) -> Reply {
    let (workspace, endpoint) = find(world, key, endpoint)?;
    let page = Page::of(call, &world.settings)?;
    let items = endpoint.deployments.values();
    Ok(Answer::ok(&page.cut("value", items, |deployment| deployment.json(workspace, &endpoint.name))))
}

fn put(world: &mut World, call: &Call<'_>, (key, endpoint): (&str, &str), name: &str) -> Reply {
    names::check(Name::Endpoint, name)?;
    let body = call.body()?;
    let mut properties = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    properties.retain(|key, value| !value.is_null() && key != "provisioningState");
    crate::json::texts(properties.get_mut("deploymentConfiguration").and_then(|it| it.get_mut("settings")));
    let (workspace, found) = find(world, key, endpoint)?;
    if found.state.is_busy() {
        return Err(errors::busy(endpoint, found.state.word()));
    }
    let have = found.deployments.get(&ids::key(name)).cloned();
    match &have {
        Some(have) if have.state.is_busy() => return Err(errors::busy(name, have.state.word())),
        None if world.settings.caps && found.deployments.len() >= CAP => {
            let text =
                format!("The endpoint '{endpoint}' has {CAP} deployments, which is as many as there can be.");
            return Err(errors::mfe(StatusCode::BAD_REQUEST, &["QuotaExceeded"], &text));
        }
        Some(_) | None => {}
    }
    check(workspace, &properties)?;
    let mut origin = have.as_ref().map_or_else(|| Origin::new(call), |have| have.origin.clone());
    origin.touch(call);
    let deployment = Deployment {
        name: have.as_ref().map_or_else(|| name.to_owned(), |have| have.name.clone()),
        tags: body.get("tags").filter(|tags| tags.is_object()).cloned().unwrap_or_else(|| json!({})),
        properties,
        state: if have.is_some() { Provisioning::Updating } else { Provisioning::Creating },
        origin,
    };
    let id = format!("{}/batchEndpoints/{endpoint}/deployments/{name}", workspace.id());
    let shown = deployment.json(workspace, &found.name);
    find_mut(world, key, endpoint)?.deployments.insert(ids::key(name), deployment);
    let work = Work::DeploymentWritten(key.to_owned(), ids::key(endpoint), ids::key(name));
    let operation = world.begin(id, work, call.now);
    Ok(world.follow(Answer::json(StatusCode::CREATED, &shown), &operation, call))
}

/// Refuses a deployment that is no pipeline component's, or that refers to what is not there.
fn check(workspace: &Workspace, properties: &Map<String, Value>) -> Result<(), Refusal> {
    let configuration = properties.get("deploymentConfiguration").cloned().unwrap_or_default();
    let kind = crate::json::text(&configuration, "/deploymentConfigurationType");
    if kind != "PipelineComponent" {
        let text = "The simulator deploys pipeline components: deploymentConfigurationType must be PipelineComponent.";
        return Err(errors::invalid(text));
    }
    let id = crate::json::text(&configuration, "/componentId/assetId");
    if id.is_empty() {
        return Err(errors::invalid(
            "Request is invalid and/or missing fields. The AssetId field is required.",
        ));
    }
    let component = graph::component(workspace, id)?.map(|(_, version)| version);
    let spec = component.and_then(|version| version.properties.get("componentSpec"));
    if spec.is_some_and(|spec| crate::json::text(spec, "/type") != "pipeline") {
        return Err(errors::invalid(&format!("'{id}' is not a pipeline component.")));
    }
    match crate::json::text(&configuration, "/settings/default_compute") {
        "" => Ok(()),
        compute => graph::compute(workspace, compute),
    }
}

/// Changes description and tags, and nothing else.
fn patch(deployment: &mut Deployment, call: &Call<'_>, body: &Map<String, Value>) {
    if let Some(tags) = body.get("tags").filter(|tags| tags.is_object()) {
        deployment.tags = tags.clone();
    }
    if let Some(text) = body.get("properties").and_then(|properties| properties.get("description")) {
        deployment.properties.insert("description".into(), text.clone());
    }
    deployment.origin.touch(call);
}

fn delete(world: &mut World, call: &Call<'_>, (key, endpoint): (&str, &str), name: &str) -> Reply {
    let found = find_mut(world, key, endpoint)?;
    let is_default = found.default.as_deref().is_some_and(|default| default.eq_ignore_ascii_case(name));
    let Some(deployment) = found.deployments.get_mut(&ids::key(name)) else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    if is_default {
        let text = format!("The deployment '{name}' is the default of its endpoint and cannot be deleted.");
        return Err(errors::mfe(StatusCode::BAD_REQUEST, &["BadArgument", "DefaultDeployment"], &text));
    }
    if deployment.state.is_busy() {
        return Err(errors::busy(name, deployment.state.word()));
    }
    deployment.state = Provisioning::Deleting;
    let (workspace, _) = find(world, key, endpoint)?;
    let id = format!("{}/batchEndpoints/{endpoint}/deployments/{name}", workspace.id());
    let work = Work::DeploymentDeleted(key.to_owned(), ids::key(endpoint), ids::key(name));
    let operation = world.begin(id, work, call.now);
    Ok(world.follow(Answer::empty(StatusCode::ACCEPTED), &operation, call))
}

/// The creation or change of a deployment ends.
pub fn written(
    world: &mut World,
    at: (&str, &str),
    name: &str,
    outcome: Result<(), Failure>,
) -> Result<(), Failure> {
    if let Ok(deployment) = find_deployment(world, at, name) {
        deployment.state = if outcome.is_ok() { Provisioning::Succeeded } else { Provisioning::Failed };
    }
    outcome
}

/// The removal of a deployment ends.
pub fn deleted(
    world: &mut World,
    (key, endpoint): (&str, &str),
    name: &str,
    outcome: Result<(), Failure>,
) -> Result<(), Failure> {
    if let Ok(endpoint) = find_mut(world, key, endpoint) {
        match (&outcome, endpoint.deployments.get_mut(name)) {
            (Ok(()), _) => drop(endpoint.deployments.remove(name)),
            (Err(_), Some(deployment)) => deployment.state = Provisioning::Failed,
            (Err(_), None) => {}
        }
    }
    outcome
}
