//! The controls below `/_simulator/`: the log, the clock, faults, and what somebody does by other means than the API.
//! In: requests without a token. Out: JSON; refusals as `{"error": "…"}` with the remedy. They are never logged.

mod change;
mod watch;

use crate::shared::Shared;
use crate::wire::{Answer, Request};
use crate::{faults, log};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;

/// Answers one request of a control.
pub async fn answer(shared: &Arc<Shared>, request: &Request) -> Answer {
    let path = request.segments();
    let rest = path.get(1..).unwrap_or_default();
    let result = match (&request.method, rest) {
        (&Method::GET, ["requests"]) => watch::requests(shared, request).await,
        (&Method::GET, ["counters"]) => Ok(shared.look(|world| log::counters(world.log.entries()))),
        (&Method::POST, ["clock"]) => clock(shared, request),
        (&Method::GET, ["clock"]) => {
            Ok(shared.look(|world| json!({ "now": crate::clock::stamp(world.clock.now()) })))
        }
        (&Method::GET, ["faults"]) => Ok(shared.look(|world| world.faults.json())),
        (&Method::POST, ["faults"]) => add_fault(shared, request),
        (&Method::DELETE, ["faults", id]) => remove_fault(shared, request, id),
        (_, _) => change::answer(shared, request, rest),
    };
    match result {
        Ok(body) => Answer::ok(&body),
        Err(text) => Answer::json(StatusCode::BAD_REQUEST, &json!({ "error": text })),
    }
}

/// The body of a control.
fn body(request: &Request) -> Result<Value, String> {
    request.json().map_err(|error| format!("the body must be JSON: {error}"))
}

/// Moves a virtual clock on; everything that is due by then has happened when this returns.
fn clock(shared: &Arc<Shared>, request: &Request) -> Result<Value, String> {
    let body = body(request)?;
    let by = crate::json::text(&body, "/advance");
    let by: SignedDuration =
        by.parse().map_err(|_| format!("advance must be a duration such as PT1H, not '{by}'"))?;
    shared.with(|world, _| {
        let now = world
            .clock
            .advance(by)
            .ok_or("the clock is the real one; start with --clock virtual to move it")?;
        world.settle(now);
        Ok(json!({ "now": crate::clock::stamp(now) }))
    })
}

fn add_fault(shared: &Arc<Shared>, request: &Request) -> Result<Value, String> {
    let spec: faults::Spec =
        serde_json::from_slice(&request.body).map_err(|error| format!("this is no fault: {error}"))?;
    shared
        .with(|world, _| world.faults.add(spec))
        .map(|id| json!({ "id": id }))
        .map_err(|error| error.to_string())
}

fn remove_fault(shared: &Arc<Shared>, request: &Request, id: &str) -> Result<Value, String> {
    let drop = request.query("drop") == Some("true");
    shared.with(|world, now| {
        let parked = world.faults.remove(id, drop).ok_or_else(|| format!("there is no fault '{id}'"))?;
        let count = parked.len();
        for event in parked {
            world.timers.set(now, event);
        }
        Ok(json!({ "id": id, "released": count }))
    })
}
