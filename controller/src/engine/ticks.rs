//! Moments that many passes have in common: all objects of a namespace compare at the same one, so that they share a list.
//! Counts time; decides nothing.

use super::fingerprint::hash;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

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
    pub(super) fn latest(&self, moments: Moments, wall: Timestamp, now: Instant) -> Option<Instant> {
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
    pub(super) fn beat_before(&self, moment: Instant, beat: Duration) -> Instant {
        let since = moment.saturating_duration_since(self.began).as_nanos();
        let over = since % beat.as_nanos().max(1);
        moment.checked_sub(Duration::from_nanos(u64::try_from(over).unwrap_or(0))).unwrap_or(moment)
    }
}

/// The moments at which a namespace compares: every `interval` of the wall clock, `phase` earlier. In milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    phase: u64,
    interval: u64,
}

impl Moments {
    pub(super) fn of(namespace: &str, resync: Duration) -> Self {
        let interval = u64::try_from(resync.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { phase: hash(namespace) % interval, interval }
    }

    /// How many moments there were until a time, and how long ago the last one was.
    pub(super) fn at(self, wall: Timestamp) -> (u64, Duration) {
        let time = u64::try_from(wall.as_millisecond()).unwrap_or(0).wrapping_add(self.phase);
        (time / self.interval, Duration::from_millis(time % self.interval))
    }
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
}
