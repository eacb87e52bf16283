//! From a verdict to conditions: one place that knows what `Ready`, `Reconciling` and `Stalled` mean together.
//!
//! In: the conditions before, the verdict, the time. Out: the conditions after; a transition time moves only when a status moves.

use crate::action::{Extra, Plan, State, Verdict};
use crate::context::Ask;
use crate::failure::whole_seconds;
use crate::reasons::{Reason, Word};
use azureml_crds::shared::{Common, LastFailure};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Our condition types, in the order in which they are written: kstatus takes the first of `Reconciling` and `Stalled`.
const READY: &str = "Ready";
const RECONCILING: &str = "Reconciling";
const STALLED: &str = "Stalled";

/// How the newest run of a schedule ended that has ended: a condition of MLSchedule alone, and no part of `Ready`.
pub const LAST_RUN_SUCCEEDED: &str = "LastRunSucceeded";

/// The longest message that the Kubernetes API takes.
const LONGEST_MESSAGE: usize = 32_768;

/// How a pass over an object went.
#[derive(Debug)]
pub struct Passed {
    /// The plan that was carried out.
    pub plan: Plan,
    /// The failures in a row after this pass.
    pub last_failure: Option<LastFailure>,
    /// Whether the request for a pass was handled.
    pub is_handled: bool,
    /// Whether changes to Azure are stopped for the object.
    pub is_paused: bool,
    /// The object's generation.
    pub generation: Option<i64>,
}

/// The part of `status` that every kind has, after a pass; without `azureId`, which is the kind's own.
#[must_use]
pub fn common(before: Common, passed: Passed, ask: &Ask) -> Common {
    let Passed { plan, last_failure, is_handled, is_paused, generation } = passed;
    let verdict = kept_stalled(&plan.verdict, last_failure.as_ref());
    let extra: Vec<Extra> = plan.conditions.into_iter().chain(is_paused.then(paused)).collect();
    let requested = ask.requested.clone().filter(|_| is_handled);
    Common {
        observed_generation: generation,
        conditions: conditions(&before.conditions, &verdict, &extra, generation, ask.now),
        azure_id: None,
        workspace_id: before.workspace_id,
        applied_hash: plan.applied.or(before.applied_hash),
        drift: plan.drift,
        last_failure,
        last_handled_reconcile_at: requested.or(before.last_handled_reconcile_at),
    }
}

/// What is stalled stays so while it is tried again, until it succeeds.
fn kept_stalled(verdict: &Verdict, last: Option<&LastFailure>) -> Verdict {
    match last {
        Some(last) if last.stalled && verdict.state == State::Working => {
            Verdict::stalled(Word::passed_on(&last.reason), format!("being tried again: {}", verdict.message))
        }
        _ => verdict.clone(),
    }
}

/// Whether changes to Azure are stopped for an object.
#[must_use]
pub fn is_paused(meta: &kube::core::ObjectMeta) -> bool {
    let annotations = meta.annotations.as_ref();
    annotations.is_some_and(|all| all.get(azureml_crds::PAUSED).is_some_and(|value| value == "true"))
}

fn paused() -> Extra {
    let message =
        format!("nothing is changed in Azure while the annotation {} is \"true\"", azureml_crds::PAUSED);
    Extra { r#type: "Paused", status: "True", reason: Reason::ANNOTATED, message }
}

/// The conditions after a pass.
#[must_use]
pub fn conditions(
    before: &[Condition],
    verdict: &Verdict,
    extra: &[Extra],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let ready = if verdict.state == State::Ready { "True" } else { "False" };
    let say = |r#type, status| (r#type, status, verdict.reason.as_str(), verdict.message.clone());
    let mut wanted = vec![say(READY, ready)];
    match verdict.state {
        State::Ready => {}
        State::Working => wanted.push(say(RECONCILING, "True")),
        State::Stalled => wanted.push(say(STALLED, "True")),
    }
    wanted.extend(
        extra.iter().map(|extra| (extra.r#type, extra.status, extra.reason.word(), extra.message.clone())),
    );
    wanted
        .into_iter()
        .map(|(r#type, status, reason, message)| Condition {
            last_transition_time: since(before, r#type, status, now),
            message: message.chars().take(LONGEST_MESSAGE).collect(),
            observed_generation: generation,
            reason: reason.to_owned(),
            status: status.to_owned(),
            type_: r#type.to_owned(),
        })
        .collect()
}

fn since(before: &[Condition], r#type: &str, status: &str, now: Timestamp) -> Time {
    before
        .iter()
        .find(|condition| condition.type_ == r#type && condition.status == status)
        .map_or_else(|| Time(whole_seconds(now)), |condition| condition.last_transition_time.clone())
}

/// Whether conditions say that an object is ready: the only question that another kind may ask.
#[must_use]
pub fn is_ready(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| condition.type_ == READY && condition.status == "True")
}

/// What changed between two lists of conditions, as far as it is worth an event: another status or reason.
#[must_use]
pub fn transitions<'a>(before: &[Condition], after: &'a [Condition]) -> Vec<&'a Condition> {
    let told = |new: &&Condition| {
        !before
            .iter()
            .any(|old| old.type_ == new.type_ && old.status == new.status && old.reason == new.reason)
    };
    // Reconciling and Stalled repeat what Ready says. Each end of a schedule's run has an event of its own.
    let silent = [RECONCILING, STALLED, LAST_RUN_SUCCEEDED];
    after.iter().filter(|new| !silent.contains(&new.type_.as_str())).filter(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Reason = Reason::CREATING;
    const B: Reason = Reason::INVALID_SPEC;
    const C: Reason = Reason::SUCCEEDED;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn types(conditions: &[Condition]) -> Vec<(&str, &str)> {
        conditions.iter().map(|condition| (condition.type_.as_str(), condition.status.as_str())).collect()
    }

    #[test]
    fn stalled_takes_the_place_of_reconciling() {
        let working = conditions(&[], &Verdict::working(A, "a"), &[], Some(1), at(1));
        assert_eq!(types(&working), [("Ready", "False"), ("Reconciling", "True")]);
        let stalled = conditions(&working, &Verdict::stalled(B, "b"), &[], Some(1), at(2));
        assert_eq!(types(&stalled), [("Ready", "False"), ("Stalled", "True")]);
        let ready = conditions(&stalled, &Verdict::ready(C, "c"), &[], Some(1), at(3));
        assert_eq!(types(&ready), [("Ready", "True")]);
    }

    #[test]
    fn a_transition_time_moves_only_when_the_status_moves() {
        let first = conditions(&[], &Verdict::working(A, "a"), &[], Some(1), at(1));
        let second = conditions(&first, &Verdict::working(B, "b"), &[], Some(1), at(2));
        assert_eq!(second[0].last_transition_time.0, at(1));
        let third = conditions(&second, &Verdict::ready(C, "c"), &[], Some(1), at(3));
        assert_eq!(third[0].last_transition_time.0, at(3));
    }

    #[test]
    fn an_equal_pass_is_no_transition() {
        let first = conditions(&[], &Verdict::working(A, "a"), &[], Some(1), at(1));
        assert_eq!(transitions(&[], &first).len(), 1);
        let same = conditions(&first, &Verdict::working(A, "other words"), &[], Some(1), at(2));
        assert!(transitions(&first, &same).is_empty());
    }
}
