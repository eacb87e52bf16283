//! Operations of Resource Manager: what was accepted and is carried out later.
//!
//! In: the address that the answer to a write gave. Out: whether the operation goes on, or its error. Never writes.
//! Sources: Azure Resource Manager, "Track asynchronous operations"; the states are those of recorded answers.

use crate::budget::{Bucket, Urgency};
use crate::class::Class;
use crate::client::{Client, gone_is_none};
use crate::codes;
use crate::data::plain;
use crate::error::Error;
use crate::id::ArmId;
use crate::reply::Reply;
use crate::verb::Verb;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// How far an operation is.
#[derive(Debug)]
pub enum Progress {
    /// It goes on: `Creating`, `Updating`, `Deleting`, `InProgress` and whatever else is no end.
    GoesOn,
    /// It succeeded, or nothing is known of it any more.
    Ended,
    /// It failed: the service found later what it would have refused at once.
    Failed(Error),
}

impl Client {
    /// How far the operation is that a write to a resource started.
    ///
    /// # Errors
    /// When Azure refuses to say, or does not answer.
    pub async fn operation(&self, address: &str, verb: Verb, id: &ArmId) -> Result<Progress, Error> {
        let mut request = plain("operation", address)?;
        // Such an address carries a certificate and a signature: thousands of characters that nobody may see.
        request.what = format!("the operation of {id}");
        self.cloud.trust(&request.url)?;
        let subscription = id.segment("subscriptions").unwrap_or_default();
        let budget = self.spend(&mut request, subscription, Bucket::Reads, Urgency::Change).await;
        let sent = self.with_token(&request).await;
        budget.hear(Bucket::Reads, sent.as_ref().map(|(_, headers)| headers));
        let Some((answer, _)) = gone_is_none(sent)? else { return Ok(Progress::Ended) };
        Ok(progress(verb, id, answer.status, &answer.body))
    }
}

/// What the answer of an operation says of it.
#[must_use]
pub fn progress(verb: Verb, id: &ArmId, status: u16, body: &Value) -> Progress {
    match state(body).as_str() {
        "failed" | "canceled" => Progress::Failed(failed(verb, id, body)),
        "succeeded" => Progress::Ended,
        // The result of an operation that has ended holds no state; one that has not is accepted.
        "" if status != 202 => Progress::Ended,
        _ => Progress::GoesOn,
    }
}

/// The state in lower case; empty where the answer holds none, as the result of an operation that has ended does.
fn state(body: &Value) -> String {
    body["status"].as_str().unwrap_or_default().to_ascii_lowercase()
}

/// The error of a failed operation, as a refusal of the write that started it. The names in that are not known any more, so
/// that words say nothing of a quota; codes do.
fn failed(verb: Verb, id: &ArmId, body: &Value) -> Error {
    let status = if verb == Verb::Delete { 409 } else { 400 };
    let bytes = body.to_string().into_bytes();
    let (headers, names) = (HeaderMap::new(), [id.name().to_owned()]);
    let reply = Reply { verb, status, headers: &headers, body: &bytes, names: &names, is_strange: false };
    let mut refusal = reply.read();
    if refusal.class == Class::Quota && !codes::is_quota(std::iter::once(refusal.code.as_str())) {
        refusal.class = if verb == Verb::Delete { Class::Conflict } else { Class::Invalid };
    }
    Error::Refused { verb: verb.name(), what: id.to_string(), refusal: Box::new(refusal) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failed_operation_reads_as_a_refusal_of_its_write() {
        let id = ArmId::parse(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/schedules/nightly",
        )
        .unwrap();
        let body = json!({"status": "Failed", "error": {"code": "UserError", "message": "The end time is in the past."}});
        let error = failed(Verb::Put, &id, &body);
        assert_eq!((error.class(), error.code()), (Class::Invalid, Some("UserError")));
        let body =
            json!({"status": "Failed", "error": {"code": "ClusterMinNodesExceedCoreQuota", "message": ""}});
        assert_eq!(failed(Verb::Put, &id, &body).class(), Class::Quota);
        assert_eq!(failed(Verb::Delete, &id, &json!({"status": "Failed"})).class(), Class::Conflict);
        let body = json!({"status": "Failed", "error": {"code": "UserError", "message": "The input quota is missing."}});
        assert_eq!(failed(Verb::Put, &id, &body).class(), Class::Invalid, "somebody's input is called quota");
        assert!(matches!(progress(Verb::Put, &id, 202, &json!({})), Progress::GoesOn));
        assert!(matches!(progress(Verb::Put, &id, 200, &json!({})), Progress::Ended));
    }
}
