//! What a conversion has to say: errors, warnings and notes, each with its place and the way out.
//!
//! In: places and words. Out: lines in the order of the files. Nothing ends at the first error.

use super::read::Place;
use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Weight {
    /// The result is not what the file says.
    Error,
    /// An error that the user accepted with `--lenient`.
    Warning,
    /// Something that needs no action.
    Note,
}

/// Something that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// Where.
    pub place: Place,
    /// The key, such as `jobs.train.limits`.
    pub key: String,
    /// What is so, and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
            Weight::Note => "note",
        };
        let colon = if self.key.is_empty() { "" } else { ": " };
        write!(f, "{weight}: {}: {}{colon}{}", self.place, self.key, self.message)
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Whether what is not carried is a warning.
    is_lenient: bool,
    all: Vec<Finding>,
}

impl Findings {
    /// None so far.
    #[must_use]
    pub fn new(is_lenient: bool) -> Self {
        Self { is_lenient, all: Vec::new() }
    }

    /// Something of the file is not carried: an error, or with `--lenient` a warning.
    pub fn refuse(&mut self, place: &Place, key: &str, message: &str) {
        let weight = if self.is_lenient { Weight::Warning } else { Weight::Error };
        self.push(weight, place, key, message);
    }

    /// The file itself is wrong.
    pub fn fail(&mut self, place: &Place, key: &str, message: &str) {
        self.push(Weight::Error, place, key, message);
    }

    /// Something that needs no action.
    pub fn note(&mut self, place: &Place, key: &str, message: &str) {
        self.push(Weight::Note, place, key, message);
    }

    fn push(&mut self, weight: Weight, place: &Place, key: &str, message: &str) {
        let finding =
            Finding { weight, place: place.clone(), key: key.to_owned(), message: message.to_owned() };
        // A file that two pipelines use says it once.
        if !self.all.contains(&finding) {
            self.all.push(finding);
        }
    }

    /// All, in the order of the files.
    #[must_use]
    pub fn sorted(mut self) -> Vec<Finding> {
        self.all.sort_by(|first, second| first.place.cmp(&second.place));
        self.all
    }
}
