//! What stands in `reason`: a reason of ours, or a word of Azure's that is passed on as it is.

use super::reason::Reason;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// The longest word that is passed on.
const LONGEST: usize = 250;

/// A word in `reason`. One of ours comes from a [`Reason`]; Azure's codes and states are too many for a table.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Word(Cow<'static, str>);

impl Word {
    /// A code or state of Azure, without the characters that the Kubernetes API does not take in a reason.
    #[must_use]
    pub fn passed_on(text: &str) -> Self {
        let is_legal = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let legal: String = text.chars().filter(is_legal).take(LONGEST).collect();
        let is_word = legal.starts_with(|first: char| first.is_ascii_alphabetic());
        Self(Cow::Owned(if is_word { legal } else { format!("Azure{legal}") }))
    }

    /// The word itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Reason> for Word {
    fn from(reason: Reason) -> Self {
        Self(Cow::Borrowed(reason.word()))
    }
}

impl PartialEq<Reason> for Word {
    fn eq(&self, other: &Reason) -> bool {
        self.0 == other.word()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_passed_on_are_legal_for_kubernetes() {
        for (text, word) in [("Some.Code-1", "SomeCode1"), ("404", "Azure404"), ("", "Azure")] {
            assert_eq!(Word::passed_on(text).as_str(), word);
        }
        assert_eq!(Word::passed_on(&"x".repeat(300)).as_str().len(), LONGEST);
    }

    #[test]
    fn a_word_of_azure_that_is_in_the_table_is_that_reason() {
        assert_eq!(Word::passed_on("AuthorizationFailed"), Reason::AUTHORIZATION_FAILED);
    }
}
