//! A reason of a condition or event, with what a reader has to know of it. Only the tables of this folder make one.

use serde::{Serialize, Serializer};
use std::fmt;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Nobody's: it is well, or goes on by itself.
    Nobody,
    /// The author of the manifest.
    User,
    /// The team that runs the operator, the network and the permissions in Azure.
    Platform,
    /// Azure's: it works, or has to work again.
    Azure,
}

/// Why a condition has its status, or what an event tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason {
    word: &'static str,
    turn: Turn,
    means: &'static str,
    remedy: &'static str,
}

impl Reason {
    /// Of a plan that lets an object go. It is never written, so that no chapter has it.
    pub(crate) const DELETED: Self =
        Self::new("Deleted", Turn::Nobody, "Nothing of the object is left to do.", "nothing");

    pub(super) const fn new(
        word: &'static str,
        turn: Turn,
        means: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self { word, turn, means, remedy }
    }

    /// The word in `reason`, and the heading in the runbook.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.word
    }

    /// Whose turn it is.
    #[must_use]
    pub const fn turn(self) -> Turn {
        self.turn
    }

    /// What it means, as whole sentences: the first line of the runbook's entry.
    #[must_use]
    pub const fn means(self) -> &'static str {
        self.means
    }

    /// What to do, as an imperative without a full stop, so that a message can hold it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.remedy
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.word, f)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word)
    }
}

/// A chapter of reasons: each a constant of [`Reason`], and all in a list, in the order of the runbook.
macro_rules! reasons {
    ($($name:ident = $word:literal, $turn:ident, $means:literal, $remedy:literal;)+) => {
        impl Reason {
            $(#[doc = $means] pub const $name: Self = Self::new($word, Turn::$turn, $means, $remedy);)+
        }

        /// All of this chapter.
        pub(super) const ALL: &[Reason] = &[$(Reason::$name),+];
    };
}
pub(super) use reasons;
