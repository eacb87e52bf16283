//! The clock: the one place where the time of day is read for decisions.

use jiff::Timestamp;

/// The time now.
#[cfg(not(test))]
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The time now, by the runtime's clock: where a test has paused that one, delays and times of day move on together. Tests begin on a
/// Monday morning, whenever they run: what a night brings is not theirs unless they wait for it.
#[cfg(test)]
#[must_use]
pub fn now() -> Timestamp {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<(Timestamp, Instant)> = LazyLock::new(|| (MONDAY, Instant::now()));
    let (time, since) = *START;
    let now = tokio::time::Instant::now().into_std();
    // The runtime may have been paused a moment before this was first asked.
    now.checked_duration_since(since).map_or_else(|| time - (since - now), |passed| time + passed)
}

/// 2026-03-02T08:30:00Z.
#[cfg(test)]
const MONDAY: Timestamp = Timestamp::constant(1_772_440_200, 0);
