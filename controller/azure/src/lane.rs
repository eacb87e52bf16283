//! One bucket of a budget: its tokens, and the requests that wait for them.
//!
//! In: a limit, the time. Out: when the next request may go. Waits for nothing.

use crate::limits::{Limit, Urgency};
use crate::turns::Turns;
use std::time::Duration;
use tokio::time::Instant;

/// A share of the bucket that comparisons leave to changes.
const RESERVE: f64 = 0.2;

/// A bucket and its waiting requests.
#[derive(Debug)]
pub(crate) struct Lane {
    pub level: Level,
    pub turns: Turns,
    /// Number of changes since the last comparison.
    changes: u32,
    /// The moment for which the lane's task sleeps.
    pub due: Instant,
    /// Whether the lane has a task that sends waiting requests.
    pub is_served: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    pub tokens: f64,
    pub at: Instant,
    pub closed_until: Instant,
}

impl Level {
    pub fn refill(&mut self, limit: Limit, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * limit.per_second).min(limit.burst);
        self.at = now;
    }
}

impl Lane {
    pub fn new(limit: Limit, now: Instant) -> Self {
        Self {
            level: Level { tokens: limit.burst, at: now, closed_until: now },
            turns: Turns::default(),
            changes: 0,
            due: now,
            is_served: false,
        }
    }

    /// Sends the requests that may go. Gives the moment of the next one, if one waits.
    pub fn serve(&mut self, limit: Limit, now: Instant) -> Option<Instant> {
        self.level.refill(limit, now);
        if self.turns.is_empty() {
            return None;
        }
        if self.level.closed_until > now {
            return Some(self.level.closed_until);
        }
        self.turns.reopen(now);
        let reserve = limit.burst * RESERVE;
        while self.level.tokens >= 1.0 {
            // Comparisons get a part even under endless changes: some changes wait for the result of a comparison.
            let served = if self.changes >= CHANGES && self.turns.serve_comparison() {
                Some(Urgency::Drift)
            } else {
                self.turns.serve(self.level.tokens >= reserve + 1.0)
            };
            self.changes = match served {
                None => break,
                Some(Urgency::Change) => self.changes.saturating_add(1),
                Some(Urgency::Drift) => 0,
            };
            self.level.tokens -= 1.0;
        }
        if let Some(opens) = self.turns.all_closed_until() {
            return Some(opens);
        }
        let floor = if self.turns.has_changes() { 0.0 } else { reserve };
        let missing = (floor + 1.0 - self.level.tokens).max(LEAST);
        (!self.turns.is_empty()).then(|| now + Duration::from_secs_f64(missing / limit.per_second))
    }
}

/// After this many changes one comparison goes, even below the reserve.
const CHANGES: u32 = 4;

/// The shortest wait, as a part of a token: a timer may fire slightly early.
const LEAST: f64 = 0.001;
