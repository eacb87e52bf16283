//! Every reason that a condition or event may have, as a constant: its word, its meaning, whose turn it is, and the remedy.
//!
//! The runbook has the same chapters and entries; a test compares them. Codes of Azure are passed on as a [`Word`]; the
//! frequent ones are in the tables too, so that they can be explained.

mod deletion;
mod guarded;
mod missing;
mod outage;
mod reason;
mod refused;
mod run;
mod spec;
mod under_way;
mod well;
mod word;

pub use reason::{Reason, Turn};
pub use word::Word;

/// The reasons of one kind, under the heading that they have in the runbook.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// The heading.
    pub heading: &'static str,
    /// The reasons, in the order of the runbook.
    pub reasons: &'static [Reason],
}

/// All reasons that a condition or event may have.
pub const ALL: [Chapter; 9] = [
    Chapter { heading: "All is well", reasons: well::ALL },
    Chapter { heading: "Work goes on", reasons: under_way::ALL },
    Chapter { heading: "Something else is missing", reasons: missing::ALL },
    Chapter { heading: "The spec is wrong", reasons: spec::ALL },
    Chapter { heading: "A run failed", reasons: run::ALL },
    Chapter { heading: "Azure could not", reasons: outage::ALL },
    Chapter { heading: "Azure refuses", reasons: refused::ALL },
    Chapter { heading: "The operator refuses", reasons: guarded::ALL },
    Chapter { heading: "It is not deleted", reasons: deletion::ALL },
];

/// The reason with this word, where the tables have it. A code of Azure that is not in them is none.
#[must_use]
pub fn find(word: &str) -> Option<Reason> {
    ALL.iter().flat_map(|chapter| chapter.reasons).find(|reason| reason.word() == word).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn all() -> impl Iterator<Item = Reason> {
        ALL.iter().flat_map(|chapter| chapter.reasons).copied()
    }

    #[test]
    fn each_reason_has_a_word_of_its_own_that_kubernetes_takes() {
        let words: BTreeSet<&str> = all().map(Reason::word).collect();
        assert_eq!(words.len(), all().count());
        for reason in all() {
            assert_eq!(Word::passed_on(reason.word()), reason);
        }
    }

    #[test]
    fn a_meaning_is_a_sentence_and_a_remedy_fits_into_one() {
        for reason in all() {
            assert!(reason.means().ends_with('.'), "{reason}: {}", reason.means());
            let remedy = reason.remedy();
            let is_part = remedy.starts_with(|first: char| first.is_ascii_lowercase());
            assert!(is_part && !remedy.ends_with('.'), "{reason}: {remedy}");
        }
    }

    #[test]
    fn every_status_that_azure_gives_without_a_code_has_a_reason() {
        for status in 400..600 {
            let word = azureml_client::refusal::word(status);
            assert!(find(word).is_some(), "{status} {word}");
        }
        assert!(find(azureml_client::refusal::word(302)).is_some());
        assert!(find(azureml_client::refusal::FOREIGN).is_some());
    }
}
