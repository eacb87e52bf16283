//! Versions of assets: made once, then immutable but for what people write on them; found by id, label or content hash.

use super::containers::workspace;
use super::{Container, Kind, Version, View, rules, show};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::paging::Page;
use crate::json;
use crate::ml::names::{self, Name};
use crate::ml::refs::{self, Ref};
use crate::ml::{Origin, Workspace};
use crate::wire::Answer;
use crate::world::World;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// The id of a version.
pub fn id(workspace: &Workspace, kind: Kind, name: &str, version: &str) -> String {
    format!("{}/{}/{name}/versions/{version}", workspace.id(), kind.segment())
}

/// The version made last.
pub fn latest(container: &Container) -> Option<&Version> {
    container.versions.values().max_by_key(|version| version.number)
}

/// The version that a reference names, with its asset's name; `Ok(None)` for what is in a shared registry.
pub fn resolve<'a>(
    workspace: &'a Workspace,
    kind: Kind,
    text: &str,
) -> Result<Option<(&'a str, &'a Version)>, Refusal> {
    let missing = || errors::invalid(&format!("{} '{text}' could not be found.", kind.noun()));
    let (name, version) = match refs::asset(kind, text) {
        None => {
            let text = format!("'{text}' is not a valid reference to a version of {}.", kind.segment());
            return Err(errors::invalid(&text));
        }
        Some(Ref::Shared) => return Ok(None),
        Some(Ref::Version { workspace: Some(id), .. }) if !id.eq_ignore_ascii_case(&workspace.id()) => {
            return Err(missing());
        }
        Some(Ref::Version { name, version, .. }) => (name, workspace.assets.version(kind, name, version)),
        Some(Ref::Label { name, label }) => {
            let container =
                workspace.assets.container(kind, name).filter(|_| matches!(label, "latest" | "default"));
            (name, container.and_then(latest))
        }
    };
    let container = workspace.assets.container(kind, name).ok_or_else(missing)?;
    Ok(Some((container.name.as_str(), version.ok_or_else(missing)?)))
}

/// Lists the versions of an asset; codes can be searched by hash over all names.
pub fn list(world: &World, call: &Call<'_>, key: &str, kind: Kind, name: &str) -> Reply {
    let workspace = workspace(world, key)?;
    let page = Page::of(call, &world.settings)?;
    let view = View::of(call)?;
    let hash = call.request.query("hash").filter(|_| kind == Kind::Code);
    let hash_version = call.request.query("hashVersion");
    let found = |version: &Version| {
        let has = |key: &str, wanted: Option<&str>| {
            let have = version.properties.get("properties").and_then(|p| p.get(key)).map(plain);
            wanted.is_none_or(|wanted| have.is_some_and(|have| have.eq_ignore_ascii_case(wanted)))
        };
        has("hash_sha256", hash) && has("hash_version", hash_version)
    };
    if hash.is_none() && workspace.assets.container(kind, name).is_none() {
        return Err(errors::missing(kind.noun(), name));
    }
    let of = |container: &&Container| hash.is_some() || container.name == name;
    let mut all: Vec<(&Container, &Version)> = workspace
        .assets
        .of(kind)
        .filter(of)
        .flat_map(|container| container.versions.values().map(move |version| (container, version)))
        .filter(|(_, version)| view.takes(version.is_archived()) && (hash.is_none() || found(version)))
        .collect();
    all.sort_by_key(|(_, version)| version.number);
    let order = call.request.query("$orderBy").map(str::to_ascii_lowercase).unwrap_or_default();
    if order.ends_with("desc") || order.is_empty() {
        all.reverse();
    }
    let items = all.into_iter();
    Ok(Answer::ok(
        &page.cut("value", items, |(container, version)| show::version(workspace, kind, container, version)),
    ))
}

/// A value as text, so that `202208` and `"202208"` are the same.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The name under which a component's default version is read.
const DEFAULT: &str = "azureml_default";

/// Shows a version.
pub fn get(world: &World, key: &str, kind: Kind, (name, version): (&str, &str)) -> Reply {
    let workspace = workspace(world, key)?;
    let mut shown = shown(workspace, kind, (name, version))?;
    if let (Kind::Component, DEFAULT, Some(id)) = (kind, version, shown["id"].as_str()) {
        // Recorded: the id is that of the label, the name that of the version.
        let container = id.rsplit_once("/versions/").map_or(id, |(container, _)| container);
        shown["id"] = format!("{container}/labels/default").into();
    }
    Ok(Answer::ok(&shown))
}

fn shown(workspace: &Workspace, kind: Kind, (name, version): (&str, &str)) -> Result<Value, Refusal> {
    let container =
        workspace.assets.container(kind, name).ok_or_else(|| errors::missing(kind.noun(), name))?;
    let found = match (kind, version) {
        // Recorded: the SDK reads the default version so. No recording shows another than the newest.
        (Kind::Component, DEFAULT) => container.versions.values().max_by_key(|version| version.number),
        _ => container.versions.get(version),
    };
    let found = found.ok_or_else(|| errors::missing(kind.noun(), &format!("{name}:{version}")))?;
    Ok(show::version(workspace, kind, container, found))
}

/// Makes a version, or changes what may be changed of one.
pub fn put(
    world: &mut World,
    call: &Call<'_>,
    key: &str,
    kind: Kind,
    (name, version): (&str, &str),
) -> Reply {
    names::check(Name::Asset, name)?;
    names::check(Name::Version, version)?;
    let body = call.body()?;
    let mut wanted = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    wanted.retain(|_, value| !value.is_null());
    rules::complete(kind, &mut wanted);
    let workspace = self::workspace(world, key)?;
    // A client that sends back what it read has no steps; the stored ones stay.
    let have = workspace.assets.version(kind, name, version).and_then(|have| steps(&have.properties));
    let sent = steps(&wanted);
    if let (Some(have), Some(spec), None) = (have, wanted.get_mut("componentSpec"), sent) {
        spec["jobs"] = have;
    }
    rules::check(workspace, kind, &wanted)?;
    let anonymous = wanted.get("isAnonymous") == Some(&json!(true));
    // Components that nobody named get the version of their content, not that of the URL.
    let own = (anonymous && kind == Kind::Component).then(|| show::anonymous(workspace, &wanted));
    let version = own.as_deref().unwrap_or(version);
    let existed = workspace.assets.version(kind, name, version).is_some();
    if existed {
        rules::unchanged(workspace, kind, (name, version), &wanted)?;
    }
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    if existed {
        change(workspace, call, kind, (name, version), &wanted);
    } else {
        let number = workspace.assets.number();
        let origin = Origin::new(call);
        let new = Version { name: version.to_owned(), number, properties: wanted, origin: origin.clone() };
        workspace.assets.ensure(kind, name, origin).versions.insert(version.to_owned(), new);
    }
    let shown = shown(self::workspace(world, key)?, kind, (name, version))?;
    Ok(answered(world, call, &shown, !existed || kind == Kind::Environment || own.is_some()))
}

/// The steps of a pipeline component.
fn steps(properties: &Map<String, Value>) -> Option<Value> {
    properties.get("componentSpec")?.get("jobs").filter(|jobs| !jobs.is_null()).cloned()
}

/// 200, or 201 with the place of what was made.
fn answered(world: &World, call: &Call<'_>, shown: &Value, made: bool) -> Answer {
    if made {
        let here = format!("{}{}", world.settings.base, call.request.target);
        Answer::json(StatusCode::CREATED, shown).header("location", &here)
    } else {
        Answer::ok(shown)
    }
}

/// Changes what may be changed: tags are replaced, properties added or altered; a code keeps what it has.
fn change(
    workspace: &mut Workspace,
    call: &Call<'_>,
    kind: Kind,
    (name, version): (&str, &str),
    wanted: &Map<String, Value>,
) {
    let have =
        workspace.assets.container_mut(kind, name).and_then(|container| container.versions.get_mut(version));
    let Some(have) = have else { return };
    for key in ["description", "tags", "isArchived", "stage"] {
        if let Some(value) = wanted.get(key) {
            have.properties.insert(key.into(), value.clone());
        }
    }
    if let Some(more) = wanted.get("properties") {
        json::merge(have.properties.entry("properties").or_insert_with(|| json!({})), more);
    }
    let named = wanted.get("componentSpec").and_then(|spec| spec.get("display_name"));
    if let (Some(named), Some(spec)) = (named, have.properties.get_mut("componentSpec")) {
        spec["display_name"] = named.clone();
    }
    // An environment does not tell that it was written again.
    if kind != Kind::Environment {
        have.origin.touch(call);
    }
}

/// Removes a version.
pub fn delete(world: &mut World, key: &str, kind: Kind, (name, version): (&str, &str)) -> Reply {
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let container = workspace.assets.container_mut(kind, name);
    let gone = container.is_some_and(|container| container.versions.remove(version).is_some());
    Ok(Answer::empty(if gone { StatusCode::OK } else { StatusCode::NO_CONTENT }))
}
