//! What time it is: the machine's clock, or one that only moves when it is told to.
//! Everything Azure does by itself follows this clock; tokens and signatures follow the machine's, as the client does.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The time that operations, builds, steps and schedules live by.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock at the start, moved on by the runtime's, which a test may have paused. Things happen by themselves
    /// when timers of the runtime say so, and both have to agree on when that is.
    Real(Timestamp, Instant),
    /// A clock that stands still at this time until it is advanced.
    Virtual(Timestamp),
}

impl Clock {
    /// A clock that shows `now`, and stands still if it is virtual.
    pub fn at(now: Timestamp, is_virtual: bool) -> Self {
        if is_virtual { Self::Virtual(now) } else { Self::Real(now, Instant::now()) }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Real(start, since) => start.checked_add(since.elapsed()).unwrap_or(Timestamp::MAX),
            Self::Virtual(now) => *now,
        }
    }

    /// Moves a virtual clock on; `None` says that the real clock cannot be moved.
    pub fn advance(&mut self, by: SignedDuration) -> Option<Timestamp> {
        match self {
            Self::Real(..) => None,
            Self::Virtual(now) => {
                *now = now.checked_add(by).unwrap_or(Timestamp::MAX);
                Some(*now)
            }
        }
    }
}

/// A time as Azure writes it: seven digits and the offset in numbers.
pub fn stamp(time: Timestamp) -> String {
    format!("{}+00:00", format!("{time:.7}").trim_end_matches('Z'))
}
