//! Long-running operations: what `Azure-AsyncOperation` and `Location` lead to, in the words of each part of Azure.
//! In: an operation when it begins, its outcome when it ends. Out: the headers that lead to it, and what clients poll.
//! Nothing of Azure ML or of registries asks for a wait: there is no `Retry-After`. Source: recorded answers.

mod url;
mod work;

use super::errors::Reply;
use super::{Call, errors};
use crate::clock::stamp;
use crate::faults::Failure;
use crate::wire::Answer;
use crate::world::World;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

pub use url::{id, key};
pub use work::{Service, Work};

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its id, part of the URLs.
    pub id: String,
    /// The ARM id of what it changes.
    pub resource: String,
    /// What it does when it ends.
    pub work: Work,
    /// The region in its URLs.
    pub region: String,
    started: Timestamp,
    ended: Option<(Timestamp, Result<(), Failure>)>,
}

impl Operation {
    /// An operation that begins now.
    pub fn new(id: String, resource: String, work: Work, region: String, now: Timestamp) -> Self {
        Self { id, resource, work, region, started: now, ended: None }
    }

    /// Ends the operation.
    pub fn end(&mut self, at: Timestamp, outcome: Result<(), Failure>) {
        self.ended.get_or_insert((at, outcome));
    }

    /// Adds what leads a client here: the status, the result, or where the resource is. Each service has its own set.
    pub fn led_to(&self, answer: Answer, base: &str, api_version: &str) -> Answer {
        let accepted = answer.status == StatusCode::ACCEPTED;
        let (status, result) = self.urls(base, api_version);
        let resource = format!("{base}{}?api-version={api_version}", self.resource);
        match self.work.service() {
            Service::Compute | Service::Registry => answer.header("azure-asyncoperation", &status),
            Service::Schedule | Service::Endpoint | Service::Deployment => {
                let answer = if accepted { answer.with_null() } else { answer };
                answer
                    .header("azure-asyncoperation", &status)
                    .header("location", if accepted { &result } else { &resource })
                    .header("x-ms-async-operation-timeout", "PT30M")
            }
            Service::Job => {
                answer.with_null().header("location", &result).header("x-ms-async-operation-timeout", "PT1H")
            }
        }
    }

    /// What the status URL answers; the words and the keys are those of the service.
    fn status(&self, base: &str, api_version: &str) -> Answer {
        let word = match &self.ended {
            None => self.work.word(),
            Some((_, Ok(()))) => "Succeeded",
            Some((_, Err(_))) => "Failed",
        };
        let mut body = json!({ "status": word });
        match self.work.service() {
            Service::Compute => {
                if word == "Succeeded" {
                    body["percentComplete"] = json!(100.0);
                }
            }
            Service::Registry => {
                // Recorded so: the header of a poll repeats the end of the path.
                let (again, _) = self.urls(base, api_version);
                let tail = format!("/operationStatuses/{}", self.id);
                let again = again.replacen(&tail, &format!("{tail}{tail}"), 1);
                return Answer::ok(&self.with_error(body)).header("azure-asyncoperation", &again);
            }
            Service::Schedule => self.identify(&mut body, "mfeOperationResults"),
            Service::Endpoint | Service::Deployment | Service::Job => {
                self.identify(&mut body, "mfeOperationsStatus");
                body["startTime"] = stamp(self.started).into();
                body["percentComplete"] = json!(if self.ended.is_some() { 100.0 } else { 0.0 });
            }
        }
        Answer::ok(&self.with_error(body))
    }

    /// Adds id, name and, of what has ended well, the times.
    fn identify(&self, body: &mut Value, kind: &str) {
        body["id"] = format!("{}/{kind}/{}", self.location(), self.id).into();
        body["name"] = self.id.as_str().into();
        if let Some((at, Ok(()))) = &self.ended {
            body["startTime"] = stamp(self.started).into();
            body["endTime"] = stamp(*at).into();
        }
    }

    /// Adds why the operation failed; Azure ML's assets write an error with its empty lists.
    fn with_error(&self, mut body: Value) -> Value {
        if let Some((_, Err(failure))) = &self.ended {
            body["error"] = failure.json();
            if !matches!(self.work.service(), Service::Compute | Service::Registry) {
                body["error"]["details"] = json!([]);
                body["error"]["additionalInfo"] = json!([]);
            }
        }
        body
    }

    fn result(&self, here: &str) -> Answer {
        match &self.ended {
            None => Answer::json(StatusCode::ACCEPTED, &json!({})).header("location", here),
            Some((_, Ok(()))) => Answer::empty(StatusCode::OK),
            Some((_, Err(failure))) => {
                Answer::json(StatusCode::BAD_REQUEST, &json!({ "error": failure.json() }))
            }
        }
    }
}

/// Answers `locations/{region}/{kind}/{id}`, where `kind` says whether the status or the result is asked for.
pub fn answer(world: &World, call: &Call<'_>, kind: &str, id: &str) -> Reply {
    let operation = world.operations.get(id).ok_or_else(|| errors::no_route(call))?;
    let (status, result) = operation.work.service().paths();
    if kind.eq_ignore_ascii_case(status) {
        return Ok(operation.status(&world.settings.base, call.api_version()));
    }
    if kind.eq_ignore_ascii_case(result) {
        return Ok(operation.result(&format!("{}{}", world.settings.base, call.request.target)));
    }
    Err(errors::no_route(call))
}

/// Answers `taskRuns/{name}/operationStatuses/{run}` below a registry.
pub fn below(world: &World, call: &Call<'_>, resource: &str, id: &str) -> Reply {
    let operation = world.operations.get(&key(resource, id)).ok_or_else(|| errors::no_route(call))?;
    Ok(operation.status(&world.settings.base, call.api_version()))
}

#[cfg(test)]
mod tests;
