//! A workspace of Azure Databricks as far as its Jobs API starts runs: `runs/submit`, `run-now`, `runs/get`, `runs/get-output`, `runs/cancel`.
//! In: requests to its host, with a token of Entra ID or one that a vault holds. Out: runs, which end by themselves or as a fault says.
//! Nothing of a run is carried out. Source: the documentation of the Jobs API 2.2; nothing of it is recorded.

mod run;

use crate::entra::bearer_token;
use crate::timers::Event;
use crate::wire::{Answer, Request};
use crate::world::World;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use run::{Run, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the workspace is.
pub const HOST: &str = "adb-1000000000000001.1.azuredatabricks.net";
/// The application of Azure Databricks, for which its tokens are.
const APPLICATION: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";

/// The runs of the workspace.
#[derive(Debug, Default)]
pub struct Databricks {
    runs: BTreeMap<u64, Run>,
    /// Runs by idempotency token.
    tokens: BTreeMap<String, u64>,
}

/// Whether a request is for it.
pub fn is_for(request: &Request) -> bool {
    request.host.split(':').next() == Some(HOST)
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error_code": code, "message": message }))
}

fn invalid(message: &str) -> Answer {
    refuse(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message)
}

/// Answers a request for the workspace.
pub fn answer(world: &mut World, request: &Request, now: Timestamp) -> Answer {
    if !is_known(world, request) {
        return refuse(StatusCode::FORBIDDEN, "403", "Invalid access token.");
    }
    let path = request.segments();
    let Some(["api", "2.1" | "2.2", "jobs", rest @ ..]) = path.get(..) else {
        return refuse(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", "No API found for this path");
    };
    match (&request.method, rest) {
        (&Method::POST, ["runs", "submit"]) => start(world, request, now, Run::submitted),
        (&Method::POST, ["run-now"]) => start(world, request, now, Run::of_job),
        (&Method::POST, ["runs", "cancel"]) => {
            let id = request.json().ok().and_then(|body| body["run_id"].as_u64());
            of(world, id, |run| {
                run.cancel(now);
                json!({})
            })
        }
        (&Method::GET, ["runs", "get"]) => of(world, asked(request), |run| run.json()),
        (&Method::GET, ["runs", "get-output"]) => of(world, asked(request), |run| run.output()),
        (_, _) => refuse(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", "No API found for this path"),
    }
}

/// A token of Entra ID for Databricks, or one of Databricks itself: those that a vault here holds.
fn is_known(world: &World, request: &Request) -> bool {
    let Some(token) = request.header("authorization").and_then(bearer_token) else { return false };
    let audience = world.keys.claims(token).ok().and_then(|claims| claims["aud"].as_str().map(str::to_owned));
    audience.as_deref() == Some(APPLICATION) || world.secrets.values().any(|secret| secret == token)
}

fn asked(request: &Request) -> Option<u64> {
    request.query("run_id").and_then(|id| id.parse().ok())
}

/// What is said of a run, or of the task in it, whose id is the next.
fn of(world: &mut World, id: Option<u64>, say: impl FnOnce(&mut Run) -> Value) -> Answer {
    let runs = &mut world.databricks.runs;
    let run = id.and_then(|id| runs.values_mut().find(|run| [run.id, run.task()].contains(&id)));
    run.map_or_else(|| invalid("Run does not exist."), |run| Answer::ok(&say(run)))
}

/// Starts a run, once for each idempotency token.
fn start(
    world: &mut World,
    request: &Request,
    now: Timestamp,
    read: fn(u64, &Value, Timestamp) -> Result<Run, String>,
) -> Answer {
    let Ok(body) = request.json() else {
        return refuse(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST", "Invalid JSON given in the body.");
    };
    let token = body["idempotency_token"].as_str().unwrap_or_default().to_owned();
    if token.len() > 64 {
        return invalid("idempotency_token must have at most 64 characters.");
    }
    if let Some(id) = world.databricks.tokens.get(&token) {
        return Answer::ok(&json!({ "run_id": id }));
    }
    let id = 1000 + 2 * u64::try_from(world.databricks.runs.len()).unwrap_or_default();
    let run = match read(id, &body, now) {
        Ok(run) => run,
        Err(text) => return invalid(&text),
    };
    if let Some(seconds) = run.timeout {
        world.timers.set(now + SignedDuration::from_secs(seconds), Event::DatabricksTimeout(id));
    }
    world.timers.set(now + world.settings.node_time, Event::Databricks(id));
    world.databricks.runs.insert(id, run);
    if !token.is_empty() {
        world.databricks.tokens.insert(token, id);
    }
    Answer::ok(&json!({ "run_id": id }))
}

/// A run enters its next phase: its cluster is there, or it ends.
pub fn due(world: &mut World, id: u64, at: Timestamp) {
    let after = at + world.settings.step_time;
    let Some(run) = world.databricks.runs.get_mut(&id) else { return };
    match run.state {
        State::Pending => {
            run.state = State::Running;
            world.timers.set(after, Event::Databricks(id));
        }
        State::Running => {
            let event = Event::Databricks(id);
            let outcome = world.faults.outcome(&format!("/databricks/runs/{id}"), &event);
            run.end(outcome, at);
        }
        State::Ended(..) => {}
    }
}

/// A run has used up its time.
pub fn timed_out(world: &mut World, id: u64, at: Timestamp) {
    if let Some(run) = world.databricks.runs.get_mut(&id) {
        run.time_out(at);
    }
}
