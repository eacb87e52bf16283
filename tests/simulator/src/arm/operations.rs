//! Long-running operations: what `Azure-AsyncOperation` and `Location` lead to.
//! In: an operation when it begins, its outcome when it ends. Out: the two kinds of answers that clients poll.

use super::errors::Reply;
use super::{Call, errors};
use crate::clock::stamp;
use crate::faults::Failure;
use crate::wire::Answer;
use crate::world::World;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

/// Which part of Azure runs the operation; they differ in the paths they hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Clusters and workspaces.
    Compute,
    /// Assets, jobs, schedules and endpoints.
    Mfe,
    /// Registries.
    Registry,
}

impl Service {
    fn paths(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Compute => {
                ("Microsoft.MachineLearningServices", "computeOperationsStatus", "computeOperationResults")
            }
            Self::Mfe => ("Microsoft.MachineLearningServices", "mfeOperationsStatus", "mfeOperationResults"),
            Self::Registry => ("Microsoft.ContainerRegistry", "operationStatuses", "operationResults"),
        }
    }
}

/// What an operation does when it ends. Workspaces are named by their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A cluster is there, or changed.
    ComputeWritten(String, String),
    /// A cluster is gone.
    ComputeDeleted(String, String),
    /// A schedule is there, or changed.
    ScheduleWritten(String, String),
    /// A schedule is gone.
    ScheduleDeleted(String, String),
    /// An endpoint is there, or changed.
    EndpointWritten(String, String),
    /// An endpoint is gone.
    EndpointDeleted(String, String),
    /// A deployment is there, or changed: (workspace, endpoint, deployment).
    DeploymentWritten(String, String, String),
    /// A deployment is gone: (workspace, endpoint, deployment).
    DeploymentDeleted(String, String, String),
    /// A job has been cancelled.
    JobCanceled(String, String),
    /// A job is gone.
    JobDeleted(String, String),
    /// A task run's build has ended; nothing is left to do.
    BuildEnded,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its id, part of the URLs.
    pub id: String,
    /// Who runs it.
    pub service: Service,
    /// The ARM id of what it changes.
    pub resource: String,
    /// What it does when it ends.
    pub work: Work,
    started: Timestamp,
    ended: Option<(Timestamp, Result<(), Failure>)>,
}

impl Operation {
    /// An operation that begins now.
    pub fn new(id: String, service: Service, resource: String, work: Work, now: Timestamp) -> Self {
        Self { id, service, resource, work, started: now, ended: None }
    }

    /// Ends the operation.
    pub fn end(&mut self, at: Timestamp, outcome: Result<(), Failure>) {
        self.ended.get_or_insert((at, outcome));
    }

    /// The two URLs: the status, and the result.
    pub fn urls(&self, base: &str, region: &str, api_version: &str) -> (String, String) {
        let (provider, status, result) = self.service.paths();
        let subscription = self.resource.split('/').nth(2).unwrap_or_default();
        let url = |kind: &str| {
            let at = format!("/subscriptions/{subscription}/providers/{provider}/locations/{region}");
            format!("{base}{at}/{kind}/{}?api-version={api_version}", self.id)
        };
        (url(status), url(result))
    }

    fn status(&self) -> Answer {
        let (word, end) = match &self.ended {
            None => ("InProgress", None),
            Some((at, Ok(()))) => ("Succeeded", Some(stamp(*at))),
            Some((at, Err(_))) => ("Failed", Some(stamp(*at))),
        };
        let mut body =
            json!({ "id": self.id, "name": self.id, "status": word, "startTime": stamp(self.started) });
        if let Some(end) = end {
            body["endTime"] = end.into();
            body["percentComplete"] = 100.into();
        }
        if let Some((_, Err(failure))) = &self.ended {
            body["error"] = failure.json();
        }
        Answer::ok(&body)
    }

    fn result(&self, here: &str) -> Answer {
        match &self.ended {
            None => Answer::empty(StatusCode::ACCEPTED).header("location", here),
            Some((_, Ok(()))) => Answer::empty(StatusCode::OK),
            Some((_, Err(failure))) => {
                Answer::json(StatusCode::BAD_REQUEST, &json!({ "error": failure.json() }))
            }
        }
    }
}

/// Answers `locations/{region}/{kind}/{id}`.
pub fn answer(world: &World, call: &Call<'_>, kind: &str, id: &str) -> Reply {
    let operation = world.operations.get(id).ok_or_else(|| errors::no_route(call))?;
    let here = format!("{}{}", world.settings.base, call.request.target);
    let (_, status, _) = operation.service.paths();
    let answer = if kind.eq_ignore_ascii_case(status) { operation.status() } else { operation.result(&here) };
    let running = operation.ended.is_none();
    Ok(if running { answer.header("retry-after", &world.settings.retry_after.to_string()) } else { answer })
}
