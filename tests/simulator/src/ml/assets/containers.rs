//! Assets as a whole: what holds the versions, the latest of them, and whether all of it is archived.

use super::{Container, Kind, View};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::paging::Page;
use crate::ml::names::{self, Name};
use crate::ml::{Origin, Workspace};
use crate::wire::Answer;
use crate::world::World;
use http::StatusCode;
use serde_json::{Value, json};

/// The workspace, which the router has found.
pub fn workspace<'a>(world: &'a World, key: &str) -> Result<&'a Workspace, Refusal> {
    world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))
}

/// An asset as a GET shows it: components name no latest version, and the next one is a time.
fn json(workspace: &Workspace, kind: Kind, container: &Container) -> Value {
    let latest = super::versions::latest(container).filter(|_| kind != Kind::Component);
    let mut properties = json!({
        "description": container.properties.get("description").cloned().unwrap_or_else(|| json!("")),
        "tags": container.properties.get("tags").cloned().unwrap_or_else(|| json!({})),
        "properties": container.properties.get("properties").cloned().unwrap_or_else(|| json!({})),
        "isArchived": is_archived(container), "latestVersion": latest.map(|version| version.name.as_str()),
        "nextVersion": container.origin.modified.strftime("%Y-%m-%d-%H-%M-%S-%6f0").to_string(),
    });
    if kind == Kind::Data {
        let version = container.versions.values().next();
        let of = version.and_then(|version| version.properties.get("dataType").cloned());
        properties["dataType"] = of.unwrap_or_default();
    }
    json!({
        "id": format!("{}/{}/{}", workspace.id(), kind.segment(), container.name), "name": container.name,
        "type": format!("Microsoft.MachineLearningServices/workspaces/{}", kind.segment()),
        "properties": properties, "systemData": container.origin.json(),
    })
}

/// An asset is archived when it was archived as a whole.
pub fn is_archived(container: &Container) -> bool {
    container.properties.get("isArchived") == Some(&Value::Bool(true))
}

/// Lists the assets of a kind.
pub fn list(world: &World, call: &Call<'_>, key: &str, kind: Kind) -> Reply {
    let workspace = workspace(world, key)?;
    let view = View::of(call)?;
    let page = Page::of(call, &world.settings)?;
    let page = if kind == Kind::Component { page.shorter() } else { page };
    let wanted = workspace.assets.of(kind).filter(|container| view.takes(is_archived(container)));
    let items = wanted;
    Ok(Answer::ok(&page.cut("value", items, |container| json(workspace, kind, container))))
}

/// Shows an asset.
pub fn get(world: &World, key: &str, kind: Kind, name: &str) -> Reply {
    let workspace = workspace(world, key)?;
    let container =
        workspace.assets.container(kind, name).ok_or_else(|| errors::missing(kind.noun(), name))?;
    let mut shown = json(workspace, kind, container);
    // Lists tell who made a component, a GET does not.
    if let Some(system) = shown["systemData"].as_object_mut().filter(|_| kind == Kind::Component) {
        system.retain(|key, _| key.ends_with("At"));
    }
    Ok(Answer::ok(&shown))
}

/// Makes an asset, or changes what it says of itself; archiving it archives every version.
pub fn put(world: &mut World, call: &Call<'_>, key: &str, kind: Kind, name: &str) -> Reply {
    names::check(Name::Asset, name)?;
    let body = call.body()?;
    let wanted = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let existed = workspace.assets.container(kind, name).is_some();
    let container = workspace.assets.ensure(kind, name, Origin::new(call));
    let read_only = ["latestVersion", "nextVersion", "provisioningState", "dataType"];
    container.properties.extend(
        wanted.into_iter().filter(|(key, value)| !read_only.contains(&key.as_str()) && !value.is_null()),
    );
    if let Some(archived) = container.properties.get("isArchived").cloned().filter(|_| existed) {
        for version in container.versions.values_mut() {
            version.properties.insert("isArchived".into(), archived.clone());
        }
    }
    container.origin.touch(call);
    let status = if existed { StatusCode::OK } else { StatusCode::CREATED };
    let workspace = self::workspace(world, key)?;
    let container =
        workspace.assets.container(kind, name).ok_or_else(|| errors::missing(kind.noun(), name))?;
    Ok(Answer::json(status, &json(workspace, kind, container)))
}

/// Removes an asset with all its versions.
pub fn delete(world: &mut World, key: &str, kind: Kind, name: &str) -> Reply {
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let gone = workspace.assets.remove(kind, name);
    Ok(Answer::empty(if gone { StatusCode::OK } else { StatusCode::NO_CONTENT }))
}
