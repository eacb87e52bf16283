//! When to look, and how fresh a look must be: all objects of a namespace compare at the same moment, so that they share
//! a list; what goes on in Azure is looked at soon, and less often the longer it takes.

use super::Kind;
use super::delays::{MOST_AT_ONCE, MOST_DOUBLINGS, NET};
use super::pass::Pass;
use super::ticks::Moments;
use azureml_crds::shared::HasCommon as _;
use azureml_observe::looks::{KEPT, Look};
use azureml_plan::Next;
use kube::ResourceExt as _;
use std::time::Duration;
use tokio::time::Instant;

/// The first look at something that is in the way.
const AGAIN: Duration = Duration::from_secs(5);

impl<K: Kind> Pass<'_, K> {
    /// How fresh this look must be.
    pub(super) fn look(&self, resync: Duration) -> Look {
        let now = Instant::now();
        let remembered = self.engine.memory.with(self.object.as_ref(), |recall| {
            (recall.generation.1, recall.wrote.max(recall.held), recall.attempt, recall.was_listed)
        });
        let (first_seen, wrote, attempt, was_listed) = remembered.unwrap_or((now, None, 0, false));
        let is_known = self.object.status().is_some_and(|status| status.common().applied_hash.is_some());
        let is_change = is_known && self.ask.is_new_generation;
        if self.ask.requested.is_some() {
            return Look { since: now, is_shared: false, attempt, is_change: false };
        }
        let ticks = &self.engine.ctx.ticks;
        let settled = self.engine.ctx.settled.get().copied().filter(|at| *at <= now);
        let newest = |since| [wrote, settled].into_iter().flatten().fold(since, Instant::max);
        if attempt > 0 {
            let since = newest(ticks.beat_before(now, self.beat()));
            return Look { since, is_shared: false, attempt, is_change: false };
        }
        if is_change {
            // Reading once more would cost more than everything else: what was seen just now, after the last write, serves.
            let since = newest(now.checked_sub(KEPT).unwrap_or(first_seen));
            return Look { since, is_shared: false, attempt, is_change };
        }
        let tick = ticks.latest(self.moments(resync), self.ask.now, self.began).unwrap_or(first_seen);
        let tick = settled.map_or(tick, |at| tick.max(at));
        let since = first_seen.max(tick).max(wrote.unwrap_or(first_seen));
        // Everybody compares at a tick, and everybody looks after a start.
        let is_shared = since == tick || (was_listed && since == first_seen);
        Look { since, is_shared, attempt, is_change: false }
    }

    /// When the next pass is due.
    pub(super) fn due(&self, next: Next, asked: Option<Duration>, resync: Duration) -> Option<Duration> {
        let counted = self.engine.memory.with(self.object.as_ref(), |recall| {
            recall.count(next);
            (recall.attempt, recall.at_once)
        });
        let (attempt, at_once) = counted.unwrap_or((1, 0));
        let due = match next {
            Next::Now => Some(match at_once.checked_sub(MOST_AT_ONCE) {
                None | Some(0) => Duration::ZERO,
                // A loop that never comes to rest waits longer each time.
                Some(over) => self.again(over),
            }),
            Next::Look => {
                let (from, to) = K::pace(&self.engine.ctx);
                let doublings = attempt.saturating_sub(1).min(MOST_DOUBLINGS);
                let grown = from.saturating_mul(1 << doublings).min(to);
                let now = Instant::now();
                let beat = self.engine.ctx.ticks.beat_before(now + grown, self.beat());
                // Never at once, however the intervals are set.
                let left = Some(beat.saturating_duration_since(now)).filter(|left| !left.is_zero());
                let left = left.unwrap_or(grown);
                Some(asked.map_or(left, |asked| asked.max(left)))
            }
            Next::Again => Some(self.again(attempt)),
            Next::After(delay) => Some(delay),
            Next::Tick => Some(self.due_at_tick(resync)),
            Next::Change => Some(NET),
            Next::Leave | Next::Absent => None,
        };
        // What this pass read, it read before everything is to be compared once more.
        let settled = self.engine.ctx.settled.get().filter(|at| **at > self.began);
        let left = settled.map(|at| at.saturating_duration_since(Instant::now()));
        due.map(|due| left.map_or(due, |left| due.min(left)))
    }

    /// The next comparison.
    pub(super) fn due_at_tick(&self, resync: Duration) -> Duration {
        resync.saturating_sub(self.moments(resync).at(self.ask.now).1)
    }

    /// A delay that doubles with each of so many tries.
    fn again(&self, tries: u32) -> Duration {
        let doublings = tries.saturating_sub(1).min(MOST_DOUBLINGS);
        AGAIN.saturating_mul(1 << doublings).min(self.engine.ctx.pace.longest.unsigned_abs())
    }

    /// The time between two beats: half of the first delay.
    fn beat(&self) -> Duration {
        self.engine.ctx.looks_from / 2
    }

    /// The moments of comparison: the namespace decides them.
    fn moments(&self, resync: Duration) -> Moments {
        Moments::of(&self.object.namespace().unwrap_or_default(), resync)
    }
}
