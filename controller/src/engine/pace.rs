//! When to look, and how fresh a look must be: all objects of a namespace compare at the same moment, so that they share
//! a list; what goes on in Azure is looked at soon, and less often the longer it takes.

use super::Kind;
use super::pass::{NET, Pass};
use crate::looks::{KEPT, Look};
use azureml_crds::shared::HasCommon as _;
use azureml_plan::Next;
use jiff::Timestamp;
use kube::ResourceExt as _;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The first look at something that is in the way.
const AGAIN: Duration = Duration::from_secs(5);

/// The first delay doubles at most so often.
const MOST_DOUBLINGS: u32 = 16;

/// How many passes may follow at once until an object comes to rest: a pipeline needs three, for files, steps and the whole.
pub(super) const MOST_AT_ONCE: u32 = 8;

/// Moments that many passes have in common, so that one list serves them all.
///
/// The latest moment of comparison of a namespace and interval is one [`Instant`]. If each pass computed it from two clocks, the
/// moments would differ, and the second pass would find the first one's list too old.
#[derive(Debug)]
pub struct Ticks {
    latest: Mutex<HashMap<(u64, u64), Tick>>,
    /// Beats are counted from here.
    began: Instant,
}

impl Default for Ticks {
    fn default() -> Self {
        Self { latest: Mutex::default(), began: Instant::now() }
    }
}

/// A moment of comparison: the wall clock's count of intervals, and when it began.
#[derive(Clone, Copy, Debug)]
struct Tick {
    number: u64,
    began: Instant,
}

impl Ticks {
    /// When the latest moment of comparison began, for a pass that began at `now` with the wall clock at `wall`.
    fn latest(&self, moments: Moments, wall: Timestamp, now: Instant) -> Option<Instant> {
        let (number, since) = moments.at(wall);
        let mut all = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (moments.phase, moments.interval);
        if let Some(tick) = all.get(&key).filter(|tick| tick.number == number) {
            return Some(tick.began);
        }
        let began = now.checked_sub(since)?;
        all.insert(key, Tick { number, began });
        Some(began)
    }

    /// The last beat before a moment. Looks at running operations are due at beats.
    fn beat_before(&self, moment: Instant, beat: Duration) -> Instant {
        let since = moment.saturating_duration_since(self.began).as_nanos();
        let over = since % beat.as_nanos().max(1);
        moment.checked_sub(Duration::from_nanos(u64::try_from(over).unwrap_or(0))).unwrap_or(moment)
    }
}

/// The moments at which a namespace compares: every `interval` of the wall clock, `phase` earlier. In milliseconds.
#[derive(Clone, Copy, Debug)]
struct Moments {
    phase: u64,
    interval: u64,
}

impl Moments {
    fn of(namespace: &str, resync: Duration) -> Self {
        let interval = u64::try_from(resync.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { phase: super::memory::hash(namespace) % interval, interval }
    }

    /// How many moments there were until a time, and how long ago the last one was.
    fn at(self, wall: Timestamp) -> (u64, Duration) {
        let time = u64::try_from(wall.as_millisecond()).unwrap_or(0).wrapping_add(self.phase);
        (time / self.interval, Duration::from_millis(time % self.interval))
    }
}

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
            Next::Tick => Some(resync.saturating_sub(self.moments(resync).at(self.ask.now).1)),
            Next::Change => Some(NET),
            Next::Leave | Next::Absent => None,
        };
        // What this pass read, it read before everything is to be compared once more.
        let settled = self.engine.ctx.settled.get().filter(|at| **at > self.began);
        let left = settled.map(|at| at.saturating_duration_since(Instant::now()));
        due.map(|due| left.map_or(due, |left| due.min(left)))
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
    fn all_passes_of_a_comparison_want_a_list_from_the_same_moment_on() {
        let moments = Moments { phase: 0, interval: 20_000 };
        let wall = |millis| Timestamp::from_millisecond(millis).unwrap();
        let (ticks, now) = (Ticks::default(), Instant::now());
        let first = ticks.latest(moments, wall(40_003), now);
        assert_eq!(first, now.checked_sub(Duration::from_millis(3)));
        // The clocks are read one after the other, and what lies between differs from pass to pass.
        for (millis, after) in [(40_003, 0), (40_004, 9), (41_000, 997), (59_999, 20_050)] {
            assert_eq!(ticks.latest(moments, wall(millis), now + Duration::from_millis(after)), first);
        }
        let next = ticks.latest(moments, wall(60_000), now + Duration::from_millis(20_060));
        assert_eq!(next, Some(now + Duration::from_millis(20_060)));
        // The wall clock is put back: the comparison is due once more, and nothing waits for the day to come again.
        let back = now + Duration::from_millis(20_070);
        assert_eq!(ticks.latest(moments, wall(20_000), back), Some(back));
        let other = Moments { phase: 7, ..moments };
        assert_ne!(
            ticks.latest(other, wall(20_000), back),
            Some(back),
            "each namespace has moments of its own"
        );
    }

    #[test]
    fn looks_are_due_at_beats_that_all_have_in_common() {
        let ticks = Ticks::default();
        let after = |millis| ticks.began + Duration::from_millis(millis);
        let beat = Duration::from_millis(500);
        for (moment, want) in [(0, 0), (499, 0), (500, 500), (1_999, 1_500)] {
            assert_eq!(ticks.beat_before(after(moment), beat), after(want), "{moment}");
        }
        assert_eq!(
            ticks.beat_before(after(7), Duration::ZERO),
            after(7),
            "without a beat there is no waiting"
        );
    }

    #[test]
    fn kubernetes_is_asked_less_often_the_more_it_refuses() {
        let seconds = [0, 1, 2, 3, 6, 7, 8, 1_000, u32::MAX].map(|count| after_refusals(count).as_secs());
        assert_eq!(seconds, [1, 1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
