//! Computes: GET, LIST, PUT, PATCH, DELETE, listNodes. Clusters have nodes; compute instances and what is attached are only kept.
//! Source: Azure REST API, `Compute_*`; which fields can change after creation: terraform-provider-azurerm, `ForceNew`.

mod body;
mod change;
mod cluster;
mod nodes;

use super::Workspace;
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::ids;
use crate::arm::paging::Page;
use crate::timers::Event;
use crate::wire::Answer;
use crate::world::World;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

pub use body::Compute;
pub use change::{deleted, patched_in_portal, written};
pub use cluster::duration;
pub use nodes::Claim;

/// Clusters in one region of a subscription ("Manage and increase quotas and limits", learn.microsoft.com).
pub const CAP: u64 = 500;

/// Answers a request below `computes`.
pub fn answer(world: &mut World, call: &Call<'_>, key: &str, rest: &[&str]) -> Reply {
    match (&call.request.method, rest) {
        (&Method::GET, []) => list(world, call, key),
        (&Method::GET, [name]) => get(world, key, name),
        (&Method::PUT, [name]) => change::put(world, call, key, name),
        (&Method::PATCH, [name]) => change::patch(world, call, key, name),
        (&Method::DELETE, [name]) => change::delete(world, call, key, name),
        (&Method::POST, [name, action]) if action.eq_ignore_ascii_case("listNodes") => {
            list_nodes(world, call, key, name)
        }
        (_, [] | [_]) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}

/// 404 for a compute: nothing, not even a body.
fn missing() -> Refusal {
    Answer::empty(StatusCode::NOT_FOUND).into()
}

/// The workspace, which the router has found, and the compute in it.
fn find<'a>(world: &'a World, key: &str, name: &str) -> Result<(&'a Workspace, &'a Compute), Refusal> {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_parent(key))?;
    let compute = workspace.computes.get(&ids::key(name)).ok_or_else(missing)?;
    Ok((workspace, compute))
}

fn get(world: &World, key: &str, name: &str) -> Reply {
    let (workspace, compute) = find(world, key, name)?;
    Ok(Answer::ok(&compute.json(&workspace.id())))
}

fn list(world: &World, call: &Call<'_>, key: &str) -> Reply {
    let workspace = world.workspaces.get(key).ok_or_else(|| errors::no_route(call))?;
    let id = workspace.id();
    let page = Page::of(call, &world.settings)?;
    let items = workspace.computes.values();
    Ok(Answer::ok(&page.cut("value", items, |compute| compute.json(&id))))
}

fn list_nodes(world: &World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let (_, compute) = find(world, key, name)?;
    if !compute.is_cluster() {
        let text =
            format!("listNodes is for computes of type AmlCompute; '{name}' is of type {}.", compute.kind);
        return Err(errors::arm(StatusCode::BAD_REQUEST, "UnsupportedComputeType", &text));
    }
    let page = Page::of(call, &world.settings)?;
    let nodes: Vec<Value> = compute.nodes.list();
    let mut shown = page.cut("nodes", nodes.into_iter(), |node| node);
    shown["computeType"] = "AmlCompute".into();
    Ok(Answer::ok(&shown))
}

/// Moves the nodes of a cluster on, and gives them to the steps that wait for them.
pub fn rebalance(world: &mut World, key: &str, name: &str, at: Timestamp) {
    let node_time = world.settings.node_time;
    let Some(compute) = world.workspaces.get_mut(key).and_then(|ws| ws.computes.get_mut(&ids::key(name)))
    else {
        return;
    };
    let scale = compute.scale();
    let moved = compute.nodes.balance(scale, at, node_time);
    if let Some(next) = moved.next {
        world.timers.set(next, Event::Nodes(key.to_owned(), name.to_owned()));
    }
    for run in moved.granted {
        super::nodes_granted(world, key, &run, at);
    }
}

/// The state of a compute as a control shows it and as end states are compared: without times and nodes.
pub fn canonical(workspace: &Workspace) -> Value {
    let one = |compute: &Compute| {
        let mut shown = compute.json(&workspace.id());
        for volatile in ["systemData", "id"] {
            shown.as_object_mut().map(|map| map.remove(volatile));
        }
        if let Some(properties) = shown.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|name, _| !["createdOn", "modifiedOn"].contains(&name.as_str()));
            if let Some(inner) = properties.get_mut("properties").and_then(Value::as_object_mut) {
                inner.retain(|name, _| !nodes::VOLATILE.contains(&name.as_str()));
            }
        }
        (compute.name.clone(), shown)
    };
    json!(workspace.computes.values().map(one).collect::<serde_json::Map<_, _>>())
}
