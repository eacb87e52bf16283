//! What time it is: the machine's clock, or one that only moves when it is told to.
//! Everything Azure does by itself follows this clock; tokens and signatures follow the machine's, as the client does.

use jiff::{SignedDuration, Timestamp};

/// The time that operations, builds, steps and schedules live by.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    Real,
    /// A clock that stands still at this time until it is advanced.
    Virtual(Timestamp),
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Real => Timestamp::now(),
            Self::Virtual(now) => *now,
        }
    }

    /// Moves a virtual clock on; `None` says that the real clock cannot be moved.
    pub fn advance(&mut self, by: SignedDuration) -> Option<Timestamp> {
        match self {
            Self::Real => None,
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
