//! When to look, and how fresh a look must be: all objects of a namespace compare at the same moment, so that they share
//! a list; what goes on in Azure is looked at soon, and less often the longer it takes.

use super::Kind;
use super::pass::{NET, Pass};
use crate::looks::Look;
use azureml_crds::shared::HasCommon as _;
use azureml_plan::Next;
use jiff::Timestamp;
use kube::ResourceExt as _;
use std::time::Duration;
use tokio::time::Instant;

/// The first delay doubles at most so often.
const MOST_DOUBLINGS: u32 = 16;

impl<K: Kind> Pass<'_, K> {
    /// How fresh this look must be.
    pub(super) fn look(&self, resync: Duration) -> Look {
        let now = Instant::now();
        let remembered = self.engine.memory.with(self.object.as_ref(), |recall| {
            (recall.generation.1, recall.wrote, recall.attempt, recall.was_listed)
        });
        let (first_seen, wrote, attempt, was_listed) = remembered.unwrap_or((now, None, 0, false));
        let is_known = self.object.status().is_some_and(|status| status.common().applied_hash.is_some());
        let is_change = is_known && self.ask.is_new_generation;
        if attempt > 0 || self.ask.requested.is_some() {
            return Look { since: now, is_shared: false, attempt, is_change: false };
        }
        let tick = now.checked_sub(self.since_tick(resync)).unwrap_or(first_seen);
        let settled = self.engine.ctx.settled.get().filter(|at| **at <= now);
        let tick = settled.map_or(tick, |at| tick.max(*at));
        let since = first_seen.max(tick).max(wrote.unwrap_or(first_seen));
        // Everybody compares at a tick, and everybody looks after a start.
        let is_shared = since == tick || (was_listed && since == first_seen);
        Look { since, is_shared, attempt, is_change }
    }

    /// When the next pass is due.
    pub(super) fn due(&self, next: Next, asked: Option<Duration>, resync: Duration) -> Option<Duration> {
        let attempt = self.engine.memory.with(self.object.as_ref(), |recall| {
            recall.attempt = if next == Next::Look { recall.attempt.saturating_add(1) } else { 0 };
            recall.attempt
        });
        let due = match next {
            Next::Now => Some(Duration::ZERO),
            Next::Look => {
                let (from, to) = K::pace(&self.engine.ctx);
                let doublings = attempt.unwrap_or(1).saturating_sub(1).min(MOST_DOUBLINGS);
                let grown = from.saturating_mul(1 << doublings).min(to);
                Some(asked.map_or(grown, |asked| asked.max(grown)))
            }
            Next::After(delay) => Some(delay),
            Next::Tick => Some(resync.saturating_sub(self.since_tick(resync))),
            Next::Change => Some(NET),
            Next::Leave => None,
        };
        // What this pass read, it read before everything is to be compared once more.
        let settled = self.engine.ctx.settled.get().filter(|at| **at > self.began);
        let left = settled.map(|at| at.saturating_duration_since(Instant::now()));
        due.map(|due| left.map_or(due, |left| due.min(left)))
    }

    /// How long ago the last comparison was due; the namespace decides the moment.
    fn since_tick(&self, resync: Duration) -> Duration {
        let interval = u64::try_from(resync.as_millis()).unwrap_or(u64::MAX).max(1);
        let namespace = self.object.namespace().unwrap_or_default();
        let phase = super::memory::hash(namespace) % interval;
        let now = u64::try_from(self.ask.now.as_millisecond()).unwrap_or(0);
        Duration::from_millis(now.wrapping_add(phase) % interval)
    }
}

/// How long it is until a moment. A little longer, so that the moment has passed also for a clock of whole seconds.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Duration {
    let delay = at.duration_since(now);
    let more = Duration::from_millis(50);
    if delay.is_positive() { delay.unsigned_abs() + more } else { more }
}

/// Up to a fifth more, by the object's own UID: what many failed at is not tried again by all at once.
pub(super) fn jittered<K: Kind>(delay: Duration, object: &K) -> Duration {
    let share = super::memory::hash(object.uid()) % 1000;
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
