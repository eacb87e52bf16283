//! Batch endpoints: GET, LIST, PUT, PATCH, DELETE, and what is below them.
//! Source: Azure REST API, `BatchEndpoints_*`; limits: learn.microsoft.com, "Manage and increase quotas and limits".

mod deployments;
mod invoke;

use super::names::{self, Name};
use super::{Origin, Provisioning, Workspace};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::ids;
use crate::arm::operations::Work;
use crate::arm::paging::Page;
use crate::faults::Failure;
use crate::wire::Answer;
use crate::world::{Settings, World};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub use deployments::{Deployment, deleted as deployment_deleted, written as deployment_written};
pub use invoke::{answer as invoke, list_jobs};

/// Batch and online endpoints in one region of a subscription.
const CAP: usize = 100;

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The name as first written.
    pub name: String,
    /// Tags.
    pub tags: Value,
    /// The identity, as written.
    pub identity: Option<Value>,
    /// `description` and `properties`.
    pub properties: Map<String, Value>,
    /// The deployment that takes what names none.
    pub default: Option<String>,
    /// How far its provisioning is.
    pub state: Provisioning,
    /// The api-version that it was made with.
    made_with: String,
    /// Its deployments by lower-cased name.
    pub deployments: BTreeMap<String, Deployment>,
    origin: Origin,
}

impl Endpoint {
    fn json(&self, workspace: &Workspace, settings: &Settings) -> Value {
        let scoring = format!("{}/inference/{}/{}/jobs", settings.base, workspace.region, self.name);
        let ready = !matches!(self.state, Provisioning::Creating | Provisioning::Failed);
        let id = format!("{}/batchEndpoints/{}", workspace.id(), self.name);
        let mut own = self.properties.get("properties").cloned().unwrap_or_else(|| json!({}));
        own["BatchEndpointCreationApiVersion"] = self.made_with.as_str().into();
        own["azureml.onlineendpointid"] =
            id.replace("batchEndpoints", "onlineEndpoints").to_lowercase().into();
        let properties = json!({
            "description": self.properties.get("description"), "properties": own, "authMode": "AADToken",
            "scoringUri": ready.then_some(scoring), "swaggerUri": null, "provisioningState": self.state.word(),
            "defaults": { "deploymentName": self.default },
        });
        let mut shown = json!({
            "id": id, "name": self.name, "type": "Microsoft.MachineLearningServices/workspaces/batchEndpoints",
            "location": workspace.region, "tags": self.tags, "properties": properties,
            "systemData": self.origin.short(),
        });
        if let Some(identity) = &self.identity {
            shown["identity"] = identity.clone();
        }
        shown
    }
}

/// Answers a request below `batchEndpoints`.
pub fn answer(world: &mut World, call: &Call<'_>, key: &str, rest: &[&str]) -> Reply {
    match (&call.request.method, rest) {
        (&Method::GET, []) => list(world, call, key),
        (&Method::GET, [name]) => get(world, key, name),
        (&Method::PUT, [name]) => put(world, call, key, name),
        (&Method::PATCH, [name]) => patch(world, call, key, name),
        (&Method::DELETE, [name]) => delete(world, call, key, name),
        (_, [name, second, below @ ..]) if second.eq_ignore_ascii_case("deployments") => {
            deployments::answer(world, call, (key, name), below)
        }
        (&Method::POST, [_, action]) if action.eq_ignore_ascii_case("listkeys") => {
            Err(errors::invalid("An endpoint whose authMode is AADToken has no keys."))
        }
        (_, [] | [_]) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}

/// An endpoint of a workspace.
pub fn find<'a>(world: &'a World, key: &str, name: &str) -> Result<(&'a Workspace, &'a Endpoint), Refusal> {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let endpoint = workspace.endpoints.get(&ids::key(name));
    Ok((workspace, endpoint.ok_or_else(|| errors::missing("BatchEndpoint", name))?))
}

/// An endpoint that is to be changed.
pub fn find_mut<'a>(world: &'a mut World, key: &str, name: &str) -> Result<&'a mut Endpoint, Refusal> {
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    workspace.endpoints.get_mut(&ids::key(name)).ok_or_else(|| errors::missing("BatchEndpoint", name))
}

fn get(world: &World, key: &str, name: &str) -> Reply {
    let (workspace, endpoint) = find(world, key, name)?;
    Ok(Answer::ok(&endpoint.json(workspace, &world.settings)))
}

fn list(world: &World, call: &Call<'_>, key: &str) -> Reply {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let page = Page::of(call, &world.settings)?;
    let items = workspace.endpoints.values();
    Ok(Answer::ok(&page.cut("value", items, |endpoint| endpoint.json(workspace, &world.settings))))
}

/// Creates or replaces an endpoint; the default deployment is part of it.
fn put(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    names::check(Name::Endpoint, name)?;
    let body = Value::Object(call.body()?);
    let have = find(world, key, name).ok().map(|(_, have)| have.clone());
    match &have {
        Some(have) if have.state.is_busy() => return Err(errors::busy(name, have.state.word())),
        Some(_) => {}
        None => room(world, key, name)?,
    }
    let default = check(&body, have.as_ref())?;
    let mut properties = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    properties.retain(|key, value| ["description", "properties"].contains(&key.as_str()) && !value.is_null());
    let mut origin = have.as_ref().map_or_else(|| Origin::new(call), |have| have.origin.clone());
    origin.touch(call);
    let endpoint = Endpoint {
        name: have.as_ref().map_or_else(|| name.to_owned(), |have| have.name.clone()),
        tags: body.get("tags").filter(|tags| tags.is_object()).cloned().unwrap_or_else(|| json!({})),
        identity: body.get("identity").filter(|identity| identity.is_object()).cloned(),
        properties,
        default,
        state: if have.is_some() { Provisioning::Updating } else { Provisioning::Creating },
        made_with: have.as_ref().map_or_else(|| call.api_version().to_owned(), |have| have.made_with.clone()),
        deployments: have.as_ref().map(|have| have.deployments.clone()).unwrap_or_default(),
        origin,
    };
    if let Some(workspace) = world.workspaces.get_mut(key) {
        workspace.endpoints.insert(ids::key(name), endpoint);
    }
    begin(world, call, (key, name))
}

/// Checks the mode of an endpoint and its default deployment, which must be there and ready.
fn check(body: &Value, have: Option<&Endpoint>) -> Result<Option<String>, Refusal> {
    let mode = crate::json::text(body, "/properties/authMode");
    if !mode.eq_ignore_ascii_case("AADToken") {
        return Err(errors::invalid(&format!(
            "The authMode of a batch endpoint must be AADToken, not '{mode}'."
        )));
    }
    let default = body.pointer("/properties/defaults/deploymentName").and_then(Value::as_str);
    let Some(default) = default.filter(|name| !name.is_empty()) else { return Ok(None) };
    let deployment = have.and_then(|have| have.deployments.get(&ids::key(default)));
    if deployment.is_some_and(|deployment| deployment.state == Provisioning::Succeeded) {
        return Ok(Some(default.to_owned()));
    }
    let text = format!("The default deployment '{default}' does not exist in the endpoint, or is not ready.");
    Err(errors::invalid(&text))
}

/// Begins the operation of an endpoint: the answer is 201, whether the endpoint is new or not.
fn begin(world: &mut World, call: &Call<'_>, (key, name): (&str, &str)) -> Reply {
    let (workspace, _) = find(world, key, name)?;
    let id = format!("{}/batchEndpoints/{name}", workspace.id());
    let work = Work::EndpointWritten(key.to_owned(), ids::key(name));
    let operation = world.begin(id, work, call.now);
    let (workspace, endpoint) = find(world, key, name)?;
    let shown = endpoint.json(workspace, &world.settings);
    Ok(world.follow(Answer::json(StatusCode::CREATED, &shown), &operation, call))
}

/// Names are unique in a region, and a region has only so many endpoints.
fn room(world: &World, key: &str, name: &str) -> Result<(), Refusal> {
    let here = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let near: Vec<&Workspace> =
        world.workspaces.values().filter(|other| other.region == here.region).collect();
    if near.iter().any(|workspace| workspace.endpoints.contains_key(&ids::key(name))) {
        let text = format!("An endpoint with the name '{name}' already exists in region {}.", here.region);
        return Err(errors::mfe(StatusCode::CONFLICT, &["Conflict", "EndpointNameTaken"], &text));
    }
    let own = near.iter().filter(|other| other.subscription.eq_ignore_ascii_case(&here.subscription));
    let count: usize = own.map(|workspace| workspace.endpoints.len()).sum();
    if world.settings.caps && count >= CAP {
        let text = format!("The subscription has {count} endpoints in region {}, of {CAP}.", here.region);
        return Err(errors::mfe(StatusCode::BAD_REQUEST, &["QuotaExceeded"], &text));
    }
    Ok(())
}

/// Changes tags and identity, and nothing else.
fn patch(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let body = call.body()?;
    let endpoint = find_mut(world, key, name)?;
    if endpoint.state.is_busy() {
        return Err(errors::busy(name, endpoint.state.word()));
    }
    if let Some(tags) = body.get("tags").filter(|tags| tags.is_object()) {
        endpoint.tags = tags.clone();
    }
    if let Some(identity) = body.get("identity").filter(|identity| identity.is_object()) {
        endpoint.identity = Some(identity.clone());
    }
    endpoint.origin.touch(call);
    get(world, key, name)
}

fn delete(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let Ok(endpoint) = find_mut(world, key, name) else { return Ok(Answer::empty(StatusCode::NO_CONTENT)) };
    if endpoint.state.is_busy() {
        return Err(errors::busy(name, endpoint.state.word()));
    }
    endpoint.state = Provisioning::Deleting;
    let (workspace, _) = find(world, key, name)?;
    let id = format!("{}/batchEndpoints/{name}", workspace.id());
    let work = Work::EndpointDeleted(key.to_owned(), ids::key(name));
    let operation = world.begin(id, work, call.now);
    Ok(world.follow(Answer::empty(StatusCode::ACCEPTED), &operation, call))
}

/// The creation or change of an endpoint ends.
pub fn written(
    world: &mut World,
    key: &str,
    name: &str,
    outcome: Result<(), Failure>,
) -> Result<(), Failure> {
    if let Ok(endpoint) = find_mut(world, key, name) {
        endpoint.state = if outcome.is_ok() { Provisioning::Succeeded } else { Provisioning::Failed };
    }
    outcome
}

/// The removal of an endpoint ends; its deployments go with it.
pub fn deleted(
    world: &mut World,
    key: &str,
    name: &str,
    outcome: Result<(), Failure>,
) -> Result<(), Failure> {
    match (&outcome, world.workspaces.get_mut(key)) {
        (Ok(()), Some(workspace)) => drop(workspace.endpoints.remove(name)),
        (Err(_), Some(workspace)) => {
            if let Some(endpoint) = workspace.endpoints.get_mut(name) {
                endpoint.state = Provisioning::Failed;
            }
        }
        (_, None) => {}
    }
    outcome
}

/// The endpoints of a workspace with their deployments, without times.
pub fn canonical(workspace: &Workspace) -> Value {
    let one = |endpoint: &Endpoint| {
        let deployments: Map<String, Value> = endpoint
            .deployments
            .values()
            .map(|one| {
                (
                    one.name.clone(),
                    json!({ "tags": one.tags, "properties": one.properties, "state": one.state.word() }),
                )
            })
            .collect();
        let shown = json!({
            "tags": endpoint.tags, "properties": endpoint.properties, "default": endpoint.default,
            "state": endpoint.state.word(), "deployments": deployments,
        });
        (endpoint.name.clone(), shown)
    };
    Value::Object(workspace.endpoints.values().map(one).collect())
}
