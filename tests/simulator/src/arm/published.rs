//! Holds requests, and in debug builds the simulator's own answers, against Azure's published definitions.
//! In: calls that passed the front door. Out: a refusal of what breaks them, and notes for the log.

use super::Call;
use super::errors::{self, Refusal};
use crate::contract;
use crate::wire::{Answer, Request};
use crate::world::World;
use http::StatusCode;
use serde_json::Value;

/// Refuses what breaks the published definition of its operation. What Azure takes beside it from real clients is put
/// into the published words: the request to go on with, where it differs.
pub fn check_request(world: &mut World, call: &Call<'_>) -> Result<Option<Request>, Refusal> {
    if is_unpublished(call.request) {
        return Ok(None);
    }
    let body = call.request.json().ok().filter(|body| !body.is_null());
    let method = call.request.method.as_str();
    let described = contract::Call { method, target: &call.request.target, body: body.as_ref() };
    match world.contract.accept(&described) {
        Ok(None) => Ok(None),
        Ok(Some(body)) => Ok(Some(Request { body: body.to_string().into(), ..call.request.clone() })),
        Err(violations) => {
            world.noted.request = violations.iter().map(ToString::to_string).collect();
            Err(errors::unpublished(&violations))
        }
    }
}

/// Notes how an answer of the simulator's own breaks the published definition; builds for release do not look.
pub fn check_answer(world: &mut World, request: &Request, answer: &Answer) {
    if !cfg!(debug_assertions) || is_unpublished(request) {
        return;
    }
    let body = serde_json::from_slice(&answer.body).ok();
    // What is accepted has no body in the definitions; Azure was recorded to answer `null`, or `{}` to a poll.
    let is_nothing = |body: &Value| body.is_null() || body.as_object().is_some_and(serde_json::Map::is_empty);
    let body = body.filter(|body| answer.status != StatusCode::ACCEPTED || !is_nothing(body));
    let call = contract::Call { method: request.method.as_str(), target: &request.target, body: None };
    if let Err(violations) = world.contract.check_response(&call, answer.status.as_u16(), body.as_ref()) {
        let broken = violations.iter().map(ToString::to_string).filter(|text| !is_recorded(text));
        world.noted.answer.extend(broken);
    }
}

/// Where the operation of a task run is polled: below the task run, as recorded, where no definition has a path.
fn is_unpublished(request: &Request) -> bool {
    let segments = request.segments();
    segments.iter().rev().nth(1).is_some_and(|kind| kind.eq_ignore_ascii_case("operationStatuses"))
        && segments.iter().any(|segment| segment.eq_ignore_ascii_case("taskRuns"))
}

/// What Azure was recorded to answer although no definition has it: (type, member).
const RECORDED: [(&str, &str); 9] = [
    ("AmlComputeNodesInformation", "computeType"),
    ("Workspace", "etag"),
    ("WorkspaceProperties", "creationTime"),
    ("WorkspaceProperties", "linkedModelInventoryArmId"),
    ("WorkspaceProperties", "softDeleteEnabled"),
    ("RegistryProperties", "anonymousPullEnabled"),
    ("WorkspaceProperties", "systemDatastoresAuthMode"),
    ("NotebookResourceInfo", "isPrivateLinkEnabled"),
    ("ManagedNetworkSettings", "changeableIsolationModes"),
];

fn is_recorded(violation: &str) -> bool {
    RECORDED.iter().any(|(of, member)| {
        violation.starts_with(&format!("Could not find member '{member}' on object of type '{of}'."))
    })
}
