//! How long something waits: pure functions of how often it was tried, of moments and of an object's own UID.

use super::fingerprint::hash;
use jiff::Timestamp;
use kube::{Resource, ResourceExt as _};
use std::time::Duration;

/// A slow look for what waits for a change, should the change be missed.
pub(super) const NET: Duration = Duration::from_mins(5);

/// The first delay doubles at most so often.
pub(super) const MOST_DOUBLINGS: u32 = 16;

/// How many passes may follow at once until an object comes to rest: a pipeline needs three, for files, steps and the whole.
pub(super) const MOST_AT_ONCE: u32 = 8;

/// How long it is until a moment. A little longer, so that the moment has passed also for a clock of whole seconds.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Duration {
    let delay = at.duration_since(now);
    let more = Duration::from_millis(50);
    if delay.is_positive() { delay.unsigned_abs() + more } else { more }
}

/// Up to a fifth more, by the object's own UID: what many failed at is not tried again by all at once.
pub(super) fn jittered<K: Resource>(delay: Duration, object: &K) -> Duration {
    let share = hash(object.uid()) % 1000;
    delay + delay.mul_f64(f64::from(u32::try_from(share).unwrap_or(0)) / 5000.0)
}

/// The longest delay after Kubernetes refused.
const LONGEST_REFUSED: Duration = Duration::from_mins(1);

/// The delay after Kubernetes refused so many times in a row: a conflict is mended by the next event, the rest by time.
pub(super) fn after_refusals(count: u32) -> Duration {
    Duration::from_secs(1 << count.saturating_sub(1).min(MOST_DOUBLINGS)).min(LONGEST_REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubernetes_is_asked_less_often_the_more_it_refuses() {
        let seconds = [0, 1, 2, 3, 6, 7, 8, 1_000, u32::MAX].map(|count| after_refusals(count).as_secs());
        assert_eq!(seconds, [1, 1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
