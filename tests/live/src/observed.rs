//! What a probe saw, and whether that is what we assume.

/// Whether Azure does what we assume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    AsAssumed,
    /// It does something else.
    Differs,
    /// It could not be seen in this check.
    NotSeen,
}

impl Verdict {
    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AsAssumed => "as assumed",
            Self::Differs => "DIFFERS",
            Self::NotSeen => "could not be seen",
        }
    }
}

/// What a probe saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What.
    pub text: String,
    /// What that means.
    pub verdict: Verdict,
}

impl Observed {
    /// It is as assumed, or not.
    #[must_use]
    pub fn new(text: impl Into<String>, is_as_assumed: bool) -> Self {
        let verdict = if is_as_assumed { Verdict::AsAssumed } else { Verdict::Differs };
        Self { text: text.into(), verdict }
    }

    /// It could not be seen.
    #[must_use]
    pub fn unseen(text: impl Into<String>) -> Self {
        Self { text: text.into(), verdict: Verdict::NotSeen }
    }
}
