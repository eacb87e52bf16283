//! What a failure means: what to say, when to try again, what to remember.
//!
//! In: the failure, the failures before it, the time. Out: a verdict, a delay, and the memory that goes to `status.lastFailure`.

use crate::action::{Action, Failed, Next, Plan, Verdict};
use crate::context::{Ask, Pace};
use crate::reasons::Reason;
use crate::trouble::Trouble;
use azureml_client::Class;
use azureml_crds::shared::LastFailure;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::time::Duration;

/// What follows from a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// What to say.
    pub verdict: Verdict,
    /// When to try again.
    pub next: Next,
}

/// Refusals of a permission before an object is called stalled: permissions take minutes to spread.
const REFUSALS: i32 = 6;

/// Conflicts in a row before an object is called stalled: half an hour of delays that double, longer than any operation that
/// was recorded.
const CONFLICTS: i32 = 8;

/// The failures in a row with this one. A failure of another generation, or for another reason, counts from one.
#[must_use]
pub fn count(last: Option<&LastFailure>, reason: &str, ask: &Ask) -> LastFailure {
    let is_same = |last: &&LastFailure| !ask.is_new_generation && last.reason == reason;
    let before = last.filter(is_same).map_or(0, |last| last.count);
    LastFailure {
        reason: reason.to_owned(),
        count: before.saturating_add(1),
        at: Time(whole_seconds(ask.now)),
        stalled: false,
    }
}

/// What follows from a request that failed for the `count`th time in a row.
#[must_use]
pub fn consequence(trouble: &Trouble, count: i32, pace: &Pace) -> Consequence {
    let stalled = |message: String| Consequence {
        verdict: Verdict::stalled(trouble.reason.clone(), message),
        next: Next::After(unsigned(pace.stalled)),
    };
    let working = |message: String, delay: Duration| Consequence {
        verdict: Verdict::working(trouble.reason.clone(), message),
        next: Next::After(delay),
    };
    let told = trouble.told(trouble.remedy());
    match trouble.class {
        // A job whose cancelling is refused goes on, and costs money: an hour is too long.
        Class::Invalid if trouble.verb == "POST" => {
            Consequence { next: Next::After(delay(trouble, count, pace)), ..stalled(told) }
        }
        Class::Invalid | Class::Quota | Class::Denied => stalled(told),
        Class::Forbidden | Class::Missing if count >= REFUSALS => stalled(told),
        // The conflict ends by itself or by the reader of this message: no hour either.
        Class::Conflict if count >= CONFLICTS => {
            Consequence { next: Next::After(delay(trouble, count, pace)), ..stalled(told) }
        }
        Class::Forbidden => {
            let hope = "if the permission was just granted, it takes minutes to spread";
            working(trouble.told(&format!("{}; {hope}", trouble.remedy())), doubled(pace, count))
        }
        Class::Missing => working(told, doubled(pace, count)),
        Class::Conflict => working(trouble.told("it is tried again"), delay(trouble, count, pace)),
        Class::Gone | Class::Throttled | Class::Unavailable | Class::NotLeading => {
            working(told, delay(trouble, count, pace))
        }
    }
}

/// What to say of a deletion that Azure refuses, or cannot carry out now.
#[must_use]
pub fn blocked(trouble: &Trouble) -> String {
    const LEAVE: &str = "to leave what is in Azure there, set spec.deletionPolicy to Retain";
    // Where Azure was not asked, the message has its remedy already.
    let is_asked = !trouble.verb.is_empty();
    match trouble.remedy() {
        remedy if is_asked && !remedy.is_empty() => trouble.told(&format!("{remedy}; {LEAVE}")),
        _ => trouble.told(LEAVE),
    }
}

/// The delay after the `count`th failure in a row: what Azure asks, though never less than the first of our own.
#[must_use]
pub fn delay(trouble: &Trouble, count: i32, pace: &Pace) -> Duration {
    trouble.retry_after.map_or_else(|| doubled(pace, count), |asked| asked.max(unsigned(pace.first)))
}

/// The delay of our own after the `count`th failure in a row: it doubles, up to the longest.
#[must_use]
pub fn doubled(pace: &Pace, count: i32) -> Duration {
    let factor = 1_i32.checked_shl(u32::try_from(count - 1).unwrap_or(0).min(20)).unwrap_or(i32::MAX);
    unsigned(pace.first.checked_mul(factor).unwrap_or(pace.longest).min(pace.longest))
}

/// When a provisioning that failed `count` times is tried again.
#[must_use]
pub fn again(last: &LastFailure, is_quota: bool, pace: &Pace) -> Timestamp {
    let before = usize::try_from(last.count - 1).unwrap_or(0);
    let delay = if is_quota { pace.stalled } else { *pace.provisioning.get(before).unwrap_or(&pace.stalled) };
    last.at.0.checked_add(delay).unwrap_or(last.at.0)
}

/// What to say of a provisioning that failed `count` times; `again` is when it is tried again, where that is not now.
#[must_use]
pub fn provisioning(failed: &Failed, count: i32, again: Option<Timestamp>) -> Verdict {
    let reason = if failed.is_quota { Reason::QUOTA_EXCEEDED.into() } else { failed.reason.clone() };
    let message = match again {
        Some(again) => {
            format!("{}; it is tried again at {again:.0}, and at once when the spec changes", failed.message)
        }
        None => format!("{}; it is being tried again", failed.message),
    };
    let state = if failed.is_quota || count >= 2 { Verdict::stalled } else { Verdict::working };
    state(reason, message)
}

/// A resource that failed: made again when its time has come, at once for another spec or on request.
#[must_use]
pub fn retry(failed: Failed, again_with: Action, last: Option<&LastFailure>, ask: &Ask) -> Plan {
    let is_asked = ask.is_new_generation || ask.requested.is_some();
    let first = || LastFailure { reason: String::new(), count: 1, at: Time(ask.now), stalled: false };
    let is_same = |last: &&LastFailure| !ask.is_new_generation && last.reason == failed.reason.as_str();
    let counted = last.filter(is_same).cloned().unwrap_or_else(first);
    let due = if is_asked { ask.now } else { again(&counted, failed.is_quota, &ask.pace) };
    let at = (due > ask.now).then_some(due);
    let verdict = provisioning(&failed, counted.count, at);
    let (actions, next) =
        if at.is_none() { (vec![again_with], Next::Look) } else { (Vec::new(), Next::Tick) };
    Plan { at, failed: Some(failed), ..Plan::send(actions, verdict, next) }
}

/// Kubernetes keeps whole seconds.
#[must_use]
pub fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// A delay without its sign.
#[must_use]
pub fn unsigned(duration: SignedDuration) -> Duration {
    duration.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::State;
    use crate::reasons::Word;

    fn trouble(class: Class) -> Trouble {
        let (reason, message, words) = (Word::passed_on("R"), "m".into(), "w".into());
        Trouble { class, reason, message, words, verb: "PUT", retry_after: None }
    }

    #[test]
    fn a_missing_permission_stalls_at_the_sixth_refusal() {
        let states: Vec<State> = (1..=7)
            .map(|count| consequence(&trouble(Class::Forbidden), count, &Pace::default()).verdict.state)
            .collect();
        assert_eq!(states[4..], [State::Working, State::Stalled, State::Stalled]);
    }

    #[test]
    fn a_conflict_that_lasts_stalls_with_a_way_out_and_is_tried_on() {
        let of = |count| consequence(&trouble(Class::Conflict), count, &Pace::default());
        assert_eq!(of(7).verdict.state, State::Working);
        let stalled = of(8);
        assert_eq!(stalled.verdict.state, State::Stalled);
        assert!(stalled.verdict.message.contains("activity log"), "{}", stalled.verdict.message);
        assert_eq!(stalled.next, Next::After(Duration::from_mins(10)));
    }

    #[test]
    fn what_a_write_names_and_is_not_there_stalls_at_the_sixth_time() {
        let states = [1, 5, 6]
            .map(|count| consequence(&trouble(Class::Missing), count, &Pace::default()).verdict.state);
        assert_eq!(states, [State::Working, State::Working, State::Stalled]);
    }

    #[test]
    fn the_way_out_stands_before_azures_words_and_follows_the_code() {
        let locked = Trouble { reason: Reason::SCOPE_LOCKED.into(), ..trouble(Class::Denied) };
        let message = consequence(&locked, 1, &Pace::default()).verdict.message;
        assert_eq!(message, "m; remove the lock from the scope that Azure names; Azure says: w");
        let silent = Trouble { words: String::new(), ..trouble(Class::Unavailable) };
        assert_eq!(consequence(&silent, 1, &Pace::default()).verdict.message, "m");
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        let seconds: Vec<u64> = (1..=9).map(|count| doubled(&Pace::default(), count).as_secs()).collect();
        assert_eq!(seconds, [15, 30, 60, 120, 240, 480, 600, 600, 600]);
    }

    #[test]
    fn what_azure_asks_to_wait_counts() {
        let asked = Trouble { retry_after: Some(Duration::from_secs(77)), ..trouble(Class::Throttled) };
        assert_eq!(consequence(&asked, 1, &Pace::default()).next, Next::After(Duration::from_secs(77)));
        let soon = Trouble { retry_after: Some(Duration::from_secs(1)), ..trouble(Class::Unavailable) };
        assert_eq!(consequence(&soon, 1, &Pace::default()).next, Next::After(Duration::from_secs(15)));
    }

    #[test]
    fn a_quota_stalls_at_once_and_is_tried_hourly() {
        let quota = consequence(&trouble(Class::Quota), 1, &Pace::default());
        assert_eq!((quota.verdict.state, quota.next), (State::Stalled, Next::After(Duration::from_hours(1))));
    }

    #[test]
    fn a_failed_provisioning_is_tried_after_1_5_and_30_minutes_and_then_hourly() {
        let at = Timestamp::from_second(1_000_000).unwrap();
        let minutes = |count| {
            let last = LastFailure { reason: "R".into(), count, at: Time(at), stalled: false };
            again(&last, false, &Pace::default()).duration_since(at).as_mins()
        };
        assert_eq!([1, 2, 3, 4, 9].map(minutes), [1, 5, 30, 60, 60]);
    }
}
