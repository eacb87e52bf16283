//! Controls that change the simulated Azure by other means than its API: "somebody did it in the portal".

use super::body;
use crate::acr::{self, Reference, RoleMode};
use crate::arm::ids;
use crate::ml;
use crate::options::{StorageAccess, WorkspaceSpec};
use crate::shared::Shared;
use crate::wire::{Answer, Request};
use crate::world::World;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// Answers the controls that change something, or look at one workspace.
pub fn answer(shared: &Arc<Shared>, request: &Request, rest: &[&str]) -> Result<Value, String> {
    match (&request.method, rest) {
        (&Method::POST, ["workspaces"]) => add_workspace(shared, &body(request)?),
        (&Method::GET, ["state", group, workspace]) => shared
            .look(|world| key(world, request, group, workspace).map(|key| crate::state::dump(world, &key))),
        (&Method::POST, ["images"]) => image(shared, &body(request)?),
        (&Method::POST, ["computes", group, workspace, name]) => {
            let patch = body(request)?;
            shared.with(|world, now| {
                let key = key(world, request, group, workspace)?;
                shown(ml::patch_compute(world, &key, name, &patch, now))
            })
        }
        (&Method::POST, ["schedules", group, workspace, name]) => {
            let patch = body(request)?;
            shared.with(|world, now| {
                let key = key(world, request, group, workspace)?;
                shown(ml::patch_schedule(world, &key, name, &patch, now))
            })
        }
        (&Method::POST, ["blobrole"]) => {
            let body = body(request)?;
            let client = crate::json::text(&body, "/client").to_owned();
            let has = body.get("has").and_then(Value::as_bool).ok_or("has must be true or false")?;
            shared.with(|world, _| world.blobs.give_role(&client, has));
            Ok(json!({ "client": client, "has": has }))
        }
        (method, rest) => Err(format!(
            "there is no control {method} /_simulator/{}; see the README of azureml-simulator",
            rest.join("/")
        )),
    }
}

/// Moves a tag to a new image, makes it missing, or purges a manifest: `{"image", "do": "move" | "lose" | "purge"}`.
fn image(shared: &Arc<Shared>, body: &Value) -> Result<Value, String> {
    let text = crate::json::text(body, "/image");
    let image = Reference::parse(text)
        .ok_or_else(|| format!("image must be host/repository:tag or @digest, not '{text}'"))?;
    shared.with(|world, _| match crate::json::text(body, "/do") {
        "move" => Ok(json!({ "digest": world.images.move_on(&image) })),
        "lose" => {
            world.images.lose(&image);
            Ok(json!({}))
        }
        "purge" => {
            let ours = acr::is_ours(world, &image.host);
            let digest = world.images.resolve(&image, ours).map(|manifest| manifest.digest);
            let digest = digest.ok_or_else(|| format!("there is no image {text}"))?;
            world.images.purge(&image.host, &image.repository, &digest);
            Ok(json!({ "digest": digest }))
        }
        other => Err(format!("do must be move, lose or purge, not '{other}'")),
    })
}

/// What an answer of the API says, as the result of a control.
fn shown(reply: crate::arm::errors::Reply) -> Result<Value, String> {
    let answer = reply.unwrap_or_else(Answer::from);
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    if answer.status.is_success() {
        Ok(body)
    } else {
        Err(crate::json::text(&body, "/error/message").to_owned())
    }
}

/// The key of a workspace; `?subscription=` names another than the simulator's.
fn key(world: &World, request: &Request, group: &str, workspace: &str) -> Result<String, String> {
    let subscription = request.query("subscription").unwrap_or(&world.settings.subscription);
    let key = ids::key(&ids::workspace(subscription, group, workspace));
    if world.workspaces.contains_key(&key) {
        Ok(key)
    } else {
        Err(format!("there is no workspace {group}/{workspace}"))
    }
}

fn add_workspace(shared: &Arc<Shared>, body: &Value) -> Result<Value, String> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let needed = |key: &str| text(key).ok_or_else(|| format!("{key} is needed to add a workspace"));
    let spec = WorkspaceSpec {
        subscription: text("subscriptionId"),
        resource_group: needed("resourceGroup")?,
        name: needed("name")?,
        region: text("region"),
        registry: text("registry"),
        registry_mode: match text("registryMode").as_deref() {
            None => None,
            Some("Legacy") => Some(RoleMode::Legacy),
            Some("Abac") => Some(RoleMode::Abac),
            Some(other) => return Err(format!("registryMode must be Legacy or Abac, not '{other}'")),
        },
        registry_restricted: body.get("registryRestricted").and_then(Value::as_bool).unwrap_or(false),
        storage: match text("storage").as_deref() {
            None | Some("Keys") => StorageAccess::Keys,
            Some("Identity") => StorageAccess::Identity,
            Some(other) => return Err(format!("storage must be Keys or Identity, not '{other}'")),
        },
    };
    Ok(shared.with(|world, now| {
        let key = world.add_workspace(&spec, now);
        world.workspaces.get(&key).map(|workspace| {
            let registry = ids::registry(&workspace.subscription, &workspace.group, &workspace.registry);
            let login = format!("{}.azurecr.io", workspace.registry);
            json!({ "id": workspace.id(), "region": workspace.region, "registry": registry, "loginServer": login,
                    "storageAccount": workspace.storage })
        })
    }).unwrap_or_default())
}
