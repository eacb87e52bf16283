//! Datastores: the four that every workspace has, and those that are added. GET, LIST, PUT, DELETE, listSecrets.
//! Source: Azure REST API, `Datastores_*`. Each is a folder below the simulator's own.

use super::{Origin, Workspace};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::paging::Page;
use crate::blob::{self, Grant, Place};
use crate::ml::names::{self, Name};
use crate::options::StorageAccess;
use crate::wire::Answer;
use crate::world::World;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The datastore of a job that names none.
pub const DEFAULT: &str = "workspaceblobstore";

/// One datastore.
#[derive(Clone, Debug)]
pub struct Datastore {
    /// The name.
    pub name: String,
    /// The storage account.
    pub account: String,
    /// The container, or share.
    pub container: String,
    kind: String,
    properties: Value,
    origin: Origin,
}

/// The datastores that a new workspace has.
pub fn initial(account: &str, workspace_id: &str, now: Timestamp) -> BTreeMap<String, Datastore> {
    let one = |name: &str, kind: &str, container: String| {
        let store = Datastore {
            name: name.to_owned(),
            account: account.to_owned(),
            container,
            kind: kind.to_owned(),
            properties: json!({}),
            origin: Origin::by("azureml-simulator", now),
        };
        (name.to_owned(), store)
    };
    BTreeMap::from([
        one(DEFAULT, "AzureBlob", format!("azureml-blobstore-{workspace_id}")),
        one("workspaceartifactstore", "AzureBlob", "azureml".into()),
        one("workspacefilestore", "AzureFile", format!("azureml-filestore-{workspace_id}")),
        one("workspaceworkingdirectory", "AzureFile", format!("code-{workspace_id}")),
    ])
}

impl Datastore {
    /// The blob behind a path of the datastore.
    pub fn place(&self, path: &str) -> Option<Place> {
        Place::new(&self.account, &self.container, path)
    }

    fn json(&self, workspace: &Workspace) -> Value {
        let (container, endpoint) = match self.kind.as_str() {
            "AzureFile" => ("fileShareName", "core.windows.net"),
            _ => ("containerName", "core.windows.net"),
        };
        let mut properties = json!({
            "datastoreType": self.kind, "accountName": self.account, container: self.container,
            "endpoint": endpoint, "protocol": "https", "credentials": { "credentialsType": "None" },
            "isDefault": self.name == DEFAULT, "tags": null, "properties": null, "description": null,
            "serviceDataAccessAuthIdentity": "None",
        });
        crate::json::merge(&mut properties, &self.properties);
        json!({
            "id": format!("{}/datastores/{}", workspace.id(), self.name), "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/datastores", "properties": properties,
            "systemData": self.origin.json(),
        })
    }
}

impl Workspace {
    /// A datastore by name.
    pub fn datastore(&self, name: &str) -> Result<&Datastore, Refusal> {
        self.datastores
            .get(name)
            .ok_or_else(|| errors::invalid(&format!("Datastore '{name}' could not be found.")))
    }
}

/// Answers a request below `datastores`.
pub fn answer(world: &mut World, call: &Call<'_>, key: &str, rest: &[&str]) -> Reply {
    match (&call.request.method, rest) {
        (&Method::GET, []) => list(world, call, key),
        (&Method::GET, [name]) => {
            let (workspace, store) = find(world, key, name)?;
            Ok(Answer::ok(&store.json(workspace)))
        }
        (&Method::PUT, [name]) => put(world, call, key, name),
        (&Method::DELETE, [name]) => {
            let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
            let gone = workspace.datastores.remove(*name).is_some();
            Ok(Answer::empty(if gone { StatusCode::OK } else { StatusCode::NO_CONTENT }))
        }
        (&Method::POST, [name, action]) if action.eq_ignore_ascii_case("listSecrets") => {
            secrets(world, key, name)
        }
        (_, [] | [_]) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}

fn find<'a>(world: &'a World, key: &str, name: &str) -> Result<(&'a Workspace, &'a Datastore), Refusal> {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    Ok((workspace, workspace.datastores.get(name).ok_or_else(|| missing(name))?))
}

/// 404 for a datastore.
fn missing(name: &str) -> Refusal {
    errors::mfe(StatusCode::NOT_FOUND, &["NotFoundError"], &format!("Could not find datastore: {name}."))
}

fn list(world: &World, call: &Call<'_>, key: &str) -> Reply {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let page = Page::of(call, &world.settings)?;
    let default = call.request.query("isDefault").map(|wanted| wanted.eq_ignore_ascii_case("true"));
    let wanted = |store: &&Datastore| default.is_none_or(|default| (store.name == DEFAULT) == default);
    let items = workspace.datastores.values().filter(wanted);
    Ok(Answer::ok(&page.cut("value", items, |store| store.json(workspace))))
}

fn put(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    names::check(Name::Asset, name)?;
    let body = call.body()?;
    let mut properties = body.get("properties").cloned().unwrap_or_default();
    let text = |key: &str| properties.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, account, container) = (text("datastoreType"), text("accountName"), text("containerName"));
    if kind != "AzureBlob" || account.is_empty() || container.is_empty() {
        let text = "The simulator adds datastores of type AzureBlob, with accountName and containerName.";
        return Err(errors::invalid(text));
    }
    if let Some(credentials) = properties.get_mut("credentials").and_then(Value::as_object_mut) {
        credentials.remove("secrets");
    }
    world.blobs.create_container(&account, &container);
    let origin = Origin::new(call);
    let store = Datastore { name: name.to_owned(), account, container, kind, properties, origin };
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let existed = workspace.datastores.insert(name.to_owned(), store).is_some();
    let (workspace, store) = find(world, key, name)?;
    let status = if existed { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Answer::json(status, &store.json(workspace)))
}

/// A signature for the datastore's container, which expires.
fn secrets(world: &World, key: &str, name: &str) -> Reply {
    let (workspace, store) = find(world, key, name)?;
    if workspace.storage_access == StorageAccess::Identity {
        let text = "No secrets for credentials of type None.";
        return Err(errors::mfe(StatusCode::BAD_REQUEST, &["BadArgument", "ArgumentInvalid"], text));
    }
    let place = store.place("").ok_or_else(|| missing(name))?;
    let grant = Grant { permissions: "racwl", container: true, lasts: SignedDuration::from_hours(1) };
    let query = blob::signed(&world.keys, &place, grant);
    Ok(Answer::ok(&json!({ "secretsType": "Sas", "sasToken": query })))
}
