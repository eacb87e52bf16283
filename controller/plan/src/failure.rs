//! What a failure means: what to say, when to try again, what to remember.
//!
//! In: the failure, the failures before it, the time. Out: a verdict, a delay, and the memory that goes to `status.lastFailure`.

use crate::action::{Action, Failed, Next, Plan, Verdict};
use crate::context::{Ask, Pace};
use azureml_client::Class;
use azureml_crds::shared::LastFailure;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::time::Duration;

/// A failure, reduced to what decisions need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What kind.
    pub class: Class,
    /// Azure's innermost code, or our own word.
    pub reason: String,
    /// What was done, what Azure said.
    pub message: String,
    /// What Azure asks to wait.
    pub retry_after: Option<Duration>,
}

impl Trouble {
    /// An error of the client.
    #[must_use]
    pub fn of(error: &azureml_client::Error) -> Self {
        Self {
            class: error.class(),
            reason: reason(&error.reason()),
            message: error.to_string(),
            retry_after: error.retry_after(),
        }
    }
}

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
        verdict: Verdict::stalled(&trouble.reason, message),
        next: Next::After(unsigned(pace.stalled)),
    };
    let working = |message: String, delay: Duration| Consequence {
        verdict: Verdict::working(&trouble.reason, message),
        next: Next::After(delay),
    };
    let message = &trouble.message;
    match trouble.class {
        Class::Invalid => stalled(format!("{message}; change the spec")),
        Class::Quota => {
            stalled(format!("{message}; ask Azure for more quota, or lower what the spec asks for"))
        }
        Class::Forbidden if count >= REFUSALS => {
            stalled(format!("{message}; grant the missing permission to the workspace's identity"))
        }
        Class::Forbidden => working(
            format!("{message}; if the permission was just granted, it takes minutes to spread"),
            doubled(pace, count),
        ),
        Class::Gone | Class::Throttled | Class::Conflict | Class::Unavailable | Class::NotLeading => {
            working(message.clone(), delay(trouble, count, pace))
        }
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
    let reason = if failed.is_quota { "QuotaExceeded" } else { failed.reason.as_str() };
    let message = match again {
        Some(again) => {
            format!("{}; it is tried again at {again:.0}, and at once when the spec changes", failed.message)
        }
        None => format!("{}; it is being tried again", failed.message),
    };
    let state = if failed.is_quota || count >= 2 { Verdict::stalled } else { Verdict::working };
    state(&self::reason(reason), message)
}

/// A resource that failed: made again when its time has come, at once for another spec or on request.
#[must_use]
pub fn retry(failed: Failed, again_with: Action, last: Option<&LastFailure>, ask: &Ask) -> Plan {
    let is_asked = ask.is_new_generation || ask.requested.is_some();
    let first = || LastFailure { reason: String::new(), count: 1, at: Time(ask.now), stalled: false };
    let is_same = |last: &&LastFailure| !ask.is_new_generation && last.reason == reason(&failed.reason);
    let counted = last.filter(is_same).cloned().unwrap_or_else(first);
    let due = if is_asked { ask.now } else { again(&counted, failed.is_quota, &ask.pace) };
    let at = (due > ask.now).then_some(due);
    let verdict = provisioning(&failed, counted.count, at);
    let (actions, next) =
        if at.is_none() { (vec![again_with], Next::Look) } else { (Vec::new(), Next::Tick) };
    Plan { at, failed: Some(failed), ..Plan::send(actions, verdict, next) }
}

/// A word that the Kubernetes API takes as a condition's reason.
#[must_use]
pub fn reason(word: &str) -> String {
    let legal: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(250).collect();
    if legal.starts_with(|first: char| first.is_ascii_alphabetic()) { legal } else { format!("Azure{legal}") }
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

    fn trouble(class: Class) -> Trouble {
        Trouble { class, reason: "R".into(), message: "m".into(), retry_after: None }
    }

    #[test]
    fn a_missing_permission_stalls_at_the_sixth_refusal() {
        let states: Vec<State> = (1..=7)
            .map(|count| consequence(&trouble(Class::Forbidden), count, &Pace::default()).verdict.state)
            .collect();
        assert_eq!(states[4..], [State::Working, State::Stalled, State::Stalled]);
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

    #[test]
    fn reasons_are_legal_for_kubernetes() {
        assert_eq!(reason("Some.Code-1"), "SomeCode1");
        assert_eq!(reason("404"), "Azure404");
    }
}
