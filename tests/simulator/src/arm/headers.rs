//! The headers of the resource manager's answers. In: an answer as its provider gave it, what is left of the limits.
//! Out: the same with request ids, limits and the marks of Azure ML. Source: recorded answers, 2022 to 2025.

use super::errors::{self, FAILURE_CAUSE};
use super::throttle::{Kind, Left};
use crate::wire::{Answer, Request};
use crate::world::World;
use http::Method;
use jiff::Timestamp;

/// Adds what every answer has. The resource manager's own errors tell nothing of limits.
pub fn finish(
    world: &mut World,
    request: &Request,
    answer: Answer,
    left: Option<Left>,
    now: Timestamp,
) -> Answer {
    let id = world.ids.uuid();
    let region = world.settings.region.clone();
    let mut answer = errors::correlated(answer, &id, &region, now)
        .header("x-ms-request-id", &id)
        .header("x-ms-correlation-request-id", &id)
        .header("cache-control", "no-cache");
    if answer.headers.contains_key(FAILURE_CAUSE) {
        return answer;
    }
    let has = |word: &str| request.path.iter().any(|segment| segment.eq_ignore_ascii_case(word));
    if has("Microsoft.MachineLearningServices") {
        // A missing cluster has neither a body nor the mark of an error.
        let is_error = answer.status.as_u16() >= 400 && !answer.body.is_empty();
        let took = world.settings.times.answer(request.method.as_str(), &request.path);
        answer = answer
            .header("x-ms-response-type", if is_error { "error" } else { "standard" })
            .header("x-request-time", &format!("{:.3}", took.as_secs_f64()));
    }
    let Some(left) = left else { return answer };
    if request.method == Method::PUT && has("deployments") {
        return answer.header("x-ms-ratelimit-remaining-subscription-resource-requests", "24");
    }
    let (own, global) = Kind::of(&request.method).headers();
    answer.header(own, &left.own.to_string()).header(global, &left.global.to_string())
}
