//! Whether a schedule fired when it was to: judged by the jobs that Azure has of it.
//!
//! In: the moment, the times at which jobs were made, how often was asked. Out: a word, or when to ask again. What fires
//! is Azure; nothing here makes up for a job that it did not make.

use jiff::{SignedDuration, Timestamp};

/// A moment at which a schedule is to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The moment.
    pub at: Timestamp,
    /// How often Azure was asked.
    pub asked: u32,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A job was made, so long after.
    Fired(SignedDuration),
    /// None was made yet.
    NotYet,
    /// None was made, and none is waited for any more.
    Missed,
}

/// After so many looks without a job, the moment was missed.
const LOOKS: u32 = 3;
/// Clocks differ.
const EARLY: SignedDuration = SignedDuration::from_secs(5);

impl Due {
    /// A moment.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { at, asked: 0 }
    }

    /// When to ask: once, twice and four times the patience after the moment.
    #[must_use]
    pub fn ask_at(&self, patience: SignedDuration) -> Timestamp {
        self.at.checked_add(patience * 2_i32.pow(self.asked.min(LOOKS))).unwrap_or(Timestamp::MAX)
    }

    /// Whether this look is the last.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.asked + 1 >= LOOKS
    }

    /// The first job at or after the moment decides.
    #[must_use]
    pub fn judge(&self, made: &[Timestamp]) -> Verdict {
        let after = made.iter().filter(|made| self.at.duration_since(**made) <= EARLY).min();
        match after {
            Some(made) => Verdict::Fired(made.duration_since(self.at).max(SignedDuration::ZERO)),
            None if self.is_last() => Verdict::Missed,
            None => Verdict::NotYet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_job_after_the_moment_is_the_firing() {
        let due = Due::new(at("2026-01-02T06:00:00Z"));
        let jobs = ["2026-01-02T07:00:09Z", "2026-01-02T06:00:09Z", "2026-01-01T06:00:09Z"];
        assert_eq!(due.judge(&jobs.map(at)), Verdict::Fired(SignedDuration::from_secs(9)));
        let slow_clock = [at("2026-01-02T05:59:58Z")];
        assert_eq!(due.judge(&slow_clock), Verdict::Fired(SignedDuration::ZERO));
    }

    #[test]
    fn what_made_no_job_is_asked_for_thrice_and_then_missed() {
        let (mut due, patience) = (Due::new(at("2026-01-02T06:00:00Z")), SignedDuration::from_mins(2));
        let yesterday = [at("2026-01-01T06:00:00Z")];
        for (asked, ask_at, verdict) in [
            (0, "2026-01-02T06:02:00Z", Verdict::NotYet),
            (1, "2026-01-02T06:04:00Z", Verdict::NotYet),
            (2, "2026-01-02T06:08:00Z", Verdict::Missed),
        ] {
            due.asked = asked;
            assert_eq!((due.ask_at(patience), due.judge(&yesterday)), (at(ask_at), verdict));
        }
    }
}
