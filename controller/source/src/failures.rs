//! Fetches that failed: what many objects name is not fetched by each of them only to fail again.
//!
//! In: a place, its revision, what went wrong. Out: the same, as long as nothing can have changed. Keeps words, no bytes.

use crate::error::Error;
use azureml_client::kept::Kept as Recent;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long nobody asks again after a failure: what many objects name fails once.
pub(crate) const FAILED: Duration = Duration::from_secs(10);

/// How long a failure is remembered that only another revision can mend.
const UNUSED: Duration = Duration::from_hours(25);

/// The most that are remembered.
const MOST: usize = 10_000;

/// Failures by place.
pub(crate) struct Failures(Mutex<Recent<String, Failure>>);

struct Failure {
    revision: String,
    words: String,
    is_lasting: bool,
    is_of_bytes: bool,
    at: Instant,
}

impl Failures {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Recent::new(UNUSED).at_most(MOST)))
    }

    /// Why a revision was not fetched, where another try would say the same: just now, or since `since` and for what its bytes are.
    pub(crate) fn again(&self, place: &str, revision: &str, since: Instant) -> Option<Error> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = all.get(place).filter(|failure| failure.revision == revision)?;
        let is_good = failure.at.elapsed() < FAILED || failure.is_of_bytes && failure.at >= since;
        let Failure { words, is_lasting, .. } = failure;
        is_good.then(|| Error::Again { words: words.clone(), is_lasting: *is_lasting })
    }

    /// Keeps what went wrong.
    pub(crate) fn keep(&self, place: String, revision: &str, error: &Error) {
        let (words, is_lasting) = (error.to_string(), error.is_lasting());
        let (is_of_bytes, at) = (error.is_of_bytes(), Instant::now());
        let failure = Failure { revision: revision.to_owned(), words, is_lasting, is_of_bytes, at };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place, failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_again_until_something_can_have_changed() {
        let failures = Failures::new();
        failures.keep("lasts".to_owned(), "1", &Error::Format("tar"));
        failures.keep("gone".to_owned(), "1", &Error::Missing(String::new()));
        failures.keep("passes".to_owned(), "1", &Error::Other);
        let begun = Instant::now();
        let is_told = |place: &str, revision: &str, since| failures.again(place, revision, since).is_some();
        assert!(is_told("lasts", "1", begun) && is_told("passes", "1", begun));
        assert!(!is_told("lasts", "2", begun) && !is_told("other", "1", begun));
        tokio::time::advance(FAILED).await;
        assert!(is_told("lasts", "1", begun) && !is_told("passes", "1", begun));
        assert!(!is_told("gone", "1", begun), "a replica may not have had it yet");
        assert!(!is_told("lasts", "1", Instant::now()), "somebody asks");
        let again = failures.again("lasts", "1", begun).map(|error| (error.to_string(), error.is_lasting()));
        assert_eq!(again, Some((Error::Format("tar").to_string(), true)));
    }
}
