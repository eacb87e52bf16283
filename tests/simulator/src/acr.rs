//! Azure Container Registry: which part answers a request of the provider, and of the registries' own data plane.
//! In: calls that passed the front door, requests to registries. Out: answers. Rules of one type are in its file.

mod build;
mod dockerfile;
mod execution;
mod images;
mod manifests;
mod oauth;
mod registries;
mod runs;
mod task_file;
mod task_runs;

use crate::arm::Call;
use crate::arm::errors::{self, Reply};
use crate::arm::ids::Target;
use crate::wire::{Answer, Request};
use crate::world::World;
use http::Method;
use serde_json::{Value, json};

pub use execution::due as build_due;
pub use images::{Images, Reference};
pub use manifests::is_ours;
pub use registries::{Registry, RoleMode};

/// Answers a request of the provider `Microsoft.ContainerRegistry`.
pub fn answer(world: &mut World, call: &Call<'_>, target: &Target<'_>, rest: &[&str]) -> Reply {
    let part = |at: usize| rest.get(at).map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
    let key = match (part(0).as_str(), rest.len()) {
        ("registries", 2..) => registries::find(world, target, rest)?,
        (_, _) => return Err(errors::no_route(call)),
    };
    let below = rest.get(3..).unwrap_or_default();
    match (&call.request.method, part(2).as_str(), below) {
        (&Method::GET, "", []) => {
            let registry = world.registries.get(&key).ok_or_else(|| errors::no_route(call))?;
            Ok(registry.answer(call))
        }
        (_, "taskruns", _) => task_runs::answer(world, call, &key, below),
        (&Method::POST, "schedulerun", []) => runs::schedule(world, call, &key),
        (&Method::POST, "listbuildsourceuploadurl", []) => runs::upload_url(world, &key, call.now),
        (&Method::GET, "runs", []) => runs::list(world, call, &key),
        (&Method::GET, "runs", [id]) => runs::get(world, &key, id),
        (&Method::POST, "runs", [id, action]) if action.eq_ignore_ascii_case("cancel") => {
            runs::cancel(world, &key, id, call.now)
        }
        (&Method::POST, "runs", [id, action]) if action.eq_ignore_ascii_case("listLogSasUrl") => {
            runs::log_url(world, &key, id)
        }
        (_, "" | "schedulerun" | "listbuildsourceuploadurl" | "runs", _) => Err(errors::no_method(call)),
        (_, _, _) => Err(errors::no_route(call)),
    }
}

/// Answers a request to a registry itself.
pub fn data_plane(world: &mut World, request: &Request) -> Answer {
    let first = request.path.first().map(|segment| segment.to_ascii_lowercase());
    let reply = if first.as_deref() == Some("v2") {
        manifests::answer(world, request)
    } else {
        oauth::answer(world, request)
    };
    reply.unwrap_or_else(Answer::from)
}

/// The task runs and images of a registry, without times and ids of runs.
pub fn canonical(world: &World, key: &str) -> Value {
    let Some(registry) = world.registries.get(key) else { return Value::Null };
    let task_runs: serde_json::Map<_, _> = registry
        .task_runs
        .iter()
        .map(|(name, one)| (name.clone(), json!({ "state": one.state.word(), "forceUpdateTag": one.force })))
        .collect();
    json!({ "taskRuns": task_runs, "runs": registry.runs.len(), "images": world.images.of_host(&registry.login_server()) })
}
