//! What changes a compute: PUT, PATCH, DELETE, the operations they begin, and somebody in the portal.

use super::body::{self, Compute, MUTABLE};
use super::cluster::scale_settings;
use super::{CAP, find, missing, rebalance};
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::ids;
use crate::arm::operations::Work;
use crate::faults::Failure;
use crate::ml::usages::CORES;
use crate::ml::{Origin, Provisioning};
use crate::wire::Answer;
use crate::world::World;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value};

fn bad(code: &str, message: &str) -> Refusal {
    errors::arm(StatusCode::BAD_REQUEST, code, message)
}

/// Creates or changes a compute.
pub fn put(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let mut wanted = Compute::new(name, &call.body()?, Origin::new(call))?;
    let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    if plain(&wanted.location) != plain(&workspace.region) {
        let text = format!(
            "The location must be the workspace's, '{}', not '{}'.",
            workspace.region, wanted.location
        );
        return Err(bad("InvalidLocation", &text));
    }
    wanted.location.clone_from(&workspace.region);
    let status = match workspace.computes.get_mut(&ids::key(name)) {
        None => {
            workspace.computes.insert(ids::key(name), wanted);
            StatusCode::CREATED
        }
        Some(have) if have.state.is_busy() => return Err(errors::busy(name, have.state.word())),
        Some(have) => {
            let frozen = have.frozen(&wanted);
            if !frozen.is_empty() {
                let text = format!(
                    "The following properties of compute '{name}' cannot be changed after creation: {}. \
                     Delete the compute and create it again.",
                    frozen.join(", ")
                );
                return Err(bad("BadRequest", &text));
            }
            body::replace(have, wanted, call.now);
            have.origin.touch(call);
            // A change is answered as a creation.
            have.state = Provisioning::Creating;
            StatusCode::CREATED
        }
    };
    begin(world, call, key, name, status)
}

/// Changes scale settings; when nothing changes, no operation begins.
pub fn patch(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    find(world, key, name)?;
    let body = call.body()?;
    let pointer = Value::Object(body);
    let settings =
        pointer.pointer("/properties/properties/scaleSettings").filter(|settings| settings.is_object());
    let settings = settings
        .ok_or_else(|| bad("BadRequest", "PATCH takes properties.properties.scaleSettings alone."))?;
    let settings = scale_settings(settings)?;
    let compute = world.workspaces.get_mut(key).and_then(|ws| ws.computes.get_mut(&ids::key(name)));
    let compute = compute.ok_or_else(|| errors::no_parent(key))?;
    if !compute.is_cluster() {
        return Err(bad(
            "UnsupportedComputeType",
            &format!("'{name}' of type {} has no scale settings.", compute.kind),
        ));
    }
    if compute.state.is_busy() {
        return Err(errors::busy(name, compute.state.word()));
    }
    if compute.inner.get(MUTABLE) == Some(&settings) {
        let (workspace, compute) = find(world, key, name)?;
        return Ok(Answer::ok(&compute.json(&workspace.id())));
    }
    compute.inner.insert(MUTABLE.into(), settings);
    compute.origin.touch(call);
    compute.state = Provisioning::Updating;
    begin(world, call, key, name, StatusCode::OK)
}

fn begin(world: &mut World, call: &Call<'_>, key: &str, name: &str, status: StatusCode) -> Reply {
    let (workspace, compute) = find(world, key, name)?;
    let shown = compute.answered(&workspace.id(), !compute.was_ready);
    let id = format!("{}/computes/{}", workspace.id(), compute.name);
    let operation = world.begin(id, Work::ComputeWritten(key.to_owned(), ids::key(name)), call.now);
    Ok(world.follow(Answer::json(status, &shown), &operation, call))
}

/// Removes a compute: what it is made of, or its attachment.
pub fn delete(world: &mut World, call: &Call<'_>, key: &str, name: &str) -> Reply {
    let action = call.request.query("underlyingResourceAction").map(str::to_ascii_lowercase);
    let action =
        action.filter(|action| ["delete", "detach"].contains(&action.as_str())).ok_or_else(|| {
            bad("BadRequest", "The query parameter underlyingResourceAction is required: Delete or Detach.")
        })?;
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let id = format!("{}/computes/{name}", workspace.id());
    let Some(compute) = workspace.computes.get_mut(&ids::key(name)) else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    if compute.state.is_busy() {
        return Err(errors::busy(name, compute.state.word()));
    }
    if compute.is_attached() == (action == "delete") {
        let wanted = if compute.is_attached() { "Detach" } else { "Delete" };
        let text =
            format!("A compute of type {} is removed with underlyingResourceAction={wanted}.", compute.kind);
        return Err(bad("BadRequest", &text));
    }
    compute.state = Provisioning::Deleting;
    for run in compute.nodes.runs() {
        crate::ml::compute_gone(world, key, &run, name, call.now);
    }
    let operation = world.begin(id, Work::ComputeDeleted(key.to_owned(), ids::key(name)), call.now);
    Ok(world.follow(Answer::empty(StatusCode::ACCEPTED), &operation, call))
}

/// The creation or change of a compute ends: as wanted, or because of quota.
pub fn written(
    world: &mut World,
    key: &str,
    name: &str,
    wanted: Result<(), Failure>,
    at: Timestamp,
) -> Result<(), Failure> {
    let outcome = wanted.and_then(|()| quota(world, key, name));
    let Some(compute) = world.workspaces.get_mut(key).and_then(|ws| ws.computes.get_mut(name)) else {
        return outcome;
    };
    compute.errors = outcome.clone().err().into_iter().collect();
    compute.state = if outcome.is_ok() { Provisioning::Succeeded } else { Provisioning::Failed };
    compute.was_ready |= outcome.is_ok();
    compute.origin.modified = at;
    if outcome.is_ok() && compute.is_cluster() {
        rebalance(world, key, name, at);
    }
    outcome
}

/// The removal of a compute ends.
pub fn deleted(world: &mut World, key: &str, name: &str, wanted: Result<(), Failure>) -> Result<(), Failure> {
    let Some(workspace) = world.workspaces.get_mut(key) else { return wanted };
    match &wanted {
        Ok(()) => drop(workspace.computes.remove(name)),
        Err(failure) => {
            if let Some(compute) = workspace.computes.get_mut(name) {
                compute.state = Provisioning::Failed;
                compute.errors = vec![failure.clone()];
            }
        }
    }
    wanted
}

/// Whether the region still has a cluster, and cores for its smallest number of nodes, to give beside what is there.
fn quota(world: &World, key: &str, name: &str) -> Result<(), Failure> {
    let workspace = world.workspaces.get(key).filter(|_| world.settings.caps);
    let Some((here, wanted)) = workspace.and_then(|ws| Some((ws, ws.computes.get(name)?))) else {
        return Ok(());
    };
    let near = world.workspaces.values().filter(|other| {
        other.region == here.region && other.subscription.eq_ignore_ascii_case(&here.subscription)
    });
    let there = |one: &&Compute| matches!(one.state, Provisioning::Succeeded | Provisioning::Deleting);
    let (mut clusters, mut cores) = (1, wanted.cores());
    for other in near.flat_map(|workspace| workspace.computes.values()).filter(there) {
        clusters += 1;
        cores += other.cores();
    }
    if clusters > CAP {
        let text = format!(
            "Operation results in exceeding quota limits of {CAP} clusters in region {}.",
            here.region
        );
        return Err(Failure::new("QuotaExceeded", text));
    }
    if cores > CORES && wanted.cores() > 0 {
        let text =
            format!("The minimum number of nodes needs {cores} vCPUs of a quota of {CORES} in this region.");
        return Err(Failure::new("ClusterMinNodesExceedCoreQuota", text));
    }
    Ok(())
}

/// Somebody changes a compute by other means: a JSON merge patch of what GET shows, in force at once.
pub fn patched_in_portal(world: &mut World, key: &str, name: &str, patch: &Value, now: Timestamp) -> Reply {
    let (workspace, compute) = find(world, key, name)?;
    let mut shown = compute.json(&workspace.id());
    crate::json::merge(&mut shown, patch);
    let body = shown.as_object().cloned().unwrap_or_default();
    let state =
        shown.pointer("/properties/provisioningState").and_then(Value::as_str).and_then(Provisioning::of);
    let mut changed = Compute::new(name, &body, compute.origin.clone())?;
    let workspace = world.workspaces.get_mut(key).ok_or_else(|| errors::no_parent(key))?;
    let have = workspace.computes.get_mut(&ids::key(name)).ok_or_else(missing)?;
    changed.nodes = have.nodes.clone();
    changed.was_ready = have.was_ready;
    changed.errors.clone_from(&have.errors);
    changed.inner.retain(|key, _| !super::nodes::VOLATILE.contains(&key.as_str()));
    changed.outer = std::mem::replace(&mut have.outer, Map::new());
    changed.state = state.unwrap_or(have.state);
    changed.origin.modified = now;
    *have = changed;
    rebalance(world, key, name, now);
    let (workspace, compute) = find(world, key, name)?;
    Ok(Answer::ok(&compute.json(&workspace.id())))
}
