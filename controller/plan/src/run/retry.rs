//! Another job for a run whose job failed for no fault of its own: whether, and what the status says of the one before.
//!
//! In: a run, what Azure says of its job. Out: a cause; a status that begins anew. Azure publishes no list of codes of failed jobs.
//! Known are those by which its services say that they failed themselves (`rest.md`, 5xx); a preempted or broken node is told by words.

use super::facts::{failed, studio};
use super::history::{first_failed, moment};
use super::keep::inputs_hash;
use super::restored::is_restored;
use super::seen::Seen;
use super::wanted::Wanted;
use azureml_crds::MLRun;
use azureml_crds::ml_run::{Attempt, Cause, MLRunStatus, Phase, Retry};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

/// Codes by which Azure's services say that they failed themselves.
const OF_SERVICES: [&str; 8] = [
    "ServiceError",
    "SystemError",
    "InternalServerError",
    "TransientError",
    "ServiceUnavailable",
    "ServerTimeout",
    "GatewayTimeout",
    "BadGatewayConnection",
];

/// The code of a failure that is the step's own.
const OF_USERS: &str = "UserError";

/// What becomes of a node, in the words of Azure ML's own states and messages.
const BROKEN: [&str; 5] = ["unusable", "unhealthy", "lost", "nodefailure", "node failure"];

/// The error inside of another.
fn inner(error: &Value) -> Option<&Value> {
    ["innerError", "innererror"].into_iter().map(|key| &error[key]).find(|inner| inner.is_object())
}

/// The codes of an error, from the outermost to the innermost.
fn codes(error: &Value) -> Vec<&str> {
    let all = std::iter::successors(Some(error), |error| inner(error)).take(10);
    all.filter_map(|error| error["code"].as_str()).collect()
}

/// The cause of a run's error; none where it is the step's own, or nobody can know.
fn cause(run: &Value) -> Option<Cause> {
    let error = &run["error"]["error"];
    let codes = codes(error);
    if codes.contains(&OF_USERS) {
        return None;
    }
    let words =
        format!("{} {}", codes.join(" "), error["message"].as_str().unwrap_or_default()).to_lowercase();
    if words.contains("preempt") {
        return Some(Cause::Preempted);
    }
    if words.contains("node") && BROKEN.iter().any(|word| words.contains(word)) {
        return Some(Cause::NodeFailure);
    }
    codes.iter().any(|code| OF_SERVICES.contains(code)).then_some(Cause::Transient)
}

/// The cause for which another job is made; none where the failure is the end.
pub(super) fn again(run: &MLRun, seen: &Seen) -> Option<Cause> {
    let Retry { attempts, only_for } = run.spec.retry.as_ref()?;
    let status = run.status.as_ref();
    let made = status.map_or(0, |status| status.attempts.len()) + 1;
    // Other values would be another run; what was restored makes no job, but follows those that were made.
    let is_same = status.and_then(|status| status.common.applied_hash.as_ref()) == Some(&inputs_hash(run));
    let may_be = if is_restored(run) { seen.is_followed } else { is_same };
    if run.spec.cancel == Some(true) || !may_be || usize::try_from(*attempts).unwrap_or(1) <= made {
        return None;
    }
    let why = first_failed(seen.children.as_deref().unwrap_or_default()).or(seen.details.as_ref())?;
    cause(why).filter(|cause| only_for.is_empty() || only_for.contains(cause))
}

/// The status of a run whose next job is to be made: all of the one before is one attempt.
pub(super) fn anew(status: MLRunStatus, wanted: &Wanted, seen: &Seen, cause: Cause) -> MLRunStatus {
    let at = |key: &str| seen.details.as_ref().and_then(|details| moment(details, key)).map(Time);
    let attempt = Attempt {
        job_name: wanted.id.name().to_owned(),
        cause,
        failure: failed(wanted, seen),
        studio_url: seen.job.as_ref().and_then(studio).or(status.studio_url),
        started_at: at("startTimeUtc"),
        finished_at: at("endTimeUtc"),
    };
    let mut attempts = status.attempts;
    attempts.push(attempt);
    MLRunStatus {
        attempts,
        phase: Some(Phase::Pending),
        studio_url: None,
        started_at: None,
        finished_at: None,
        duration_seconds: None,
        queued_seconds: None,
        preparing_seconds: None,
        running_seconds: None,
        steps: Vec::new(),
        outputs: std::collections::BTreeMap::new(),
        failure: None,
        ..status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cause_is_what_azure_says_and_never_what_the_step_said() {
        let failed =
            |code: &str, message: &str| json!({"error": {"error": {"code": code, "message": message}}});
        for (run, expected) in [
            (failed("ServiceError", "InternalServerError"), Some(Cause::Transient)),
            (failed("SystemError", "The node was preempted."), Some(Cause::Preempted)),
            (failed("SystemError", "Node tvm-1 became unusable."), Some(Cause::NodeFailure)),
            (failed("ComputeNodeFailure", ""), Some(Cause::NodeFailure)),
            (failed("UserError", "the node was lost, and I was preempted"), None),
            (failed("Failed", "there is no package called 'gbm'"), None),
            (failed("Failed", "connection lost"), None),
            (
                json!({"error": {"error": {"code": "Failed", "innerError": {"code": "TransientError"}}}}),
                Some(Cause::Transient),
            ),
            (
                json!({"error": {"error": {"code": "ServiceError", "innerError": {"code": "UserError"}}}}),
                None,
            ),
            (json!({}), None),
        ] {
            assert_eq!(cause(&run), expected, "{run}");
        }
    }
}
