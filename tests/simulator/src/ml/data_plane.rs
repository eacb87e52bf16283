//! The regional data plane of Azure ML: discovery, run history, batch jobs and their endpoints, with the token of each.

use super::{endpoints, history};
use crate::arm::errors::{self, Reply};
use crate::entra::Audience;
use crate::wire::{Answer, Request};
use crate::world::World;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

/// Answers a request to the data plane. Its answers have a request id, and no limits.
pub fn answer(world: &mut World, request: &Request, now: Timestamp) -> Answer {
    let answer = respond(world, request, now);
    let id = world.ids.uuid();
    let kind = if answer.status.is_success() { "standard" } else { "error" };
    answer.header("x-ms-request-id", &id).header("x-ms-response-type", kind)
}

fn respond(world: &mut World, request: &Request, now: Timestamp) -> Answer {
    let first = request.path.first().map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
    if first == "discovery" {
        return discovery(&world.settings.base);
    }
    let audiences: &[Audience] = if first == "inference" {
        &[Audience::MachineLearning]
    } else {
        &[Audience::Arm, Audience::MachineLearning]
    };
    let caller = world.keys.caller(request.header("authorization"), &world.settings.base, audiences);
    let caller = match caller {
        Ok(caller) => caller,
        Err(error) => {
            return errors::unauthorized(&world.settings.base, &world.settings.tenant, error).into();
        }
    };
    let reply: Reply = match first.as_str() {
        "history" => history::answer(world, request),
        "mferp" => endpoints::list_jobs(world, request),
        "inference" => endpoints::invoke(world, request, &caller, now),
        _ => Err(errors::arm(
            StatusCode::NOT_FOUND,
            "HttpResourceNotFound",
            "The data plane has nothing under this path.",
        )),
    };
    reply.unwrap_or_else(Answer::from)
}

/// Where the parts of the data plane are: all of them here. It needs no token.
fn discovery(base: &str) -> Answer {
    Answer::ok(&json!({
        "api": base, "catalog": base, "experimentation": base, "gallery": base, "history": base, "hyperdrive": base,
        "labeling": base, "modelmanagement": base, "pipelines": base, "studio": base, "notebooks": base,
        "inference": format!("{base}/inference"),
    }))
}
