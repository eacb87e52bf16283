//! Watched namespaces that we may not list (RBAC): their role is missing, or went with the namespace. What is known of such a
//! namespace is incomplete, so no pass is made in it.
//!
//! In: errors of watches. Out: which namespaces are shut, and when to look again.

use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{DefaultBackoff, Error};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The namespaces that are shut, and the kinds whose lists are refused there.
#[derive(Debug, Default)]
pub struct Shut(Mutex<HashSet<(String, &'static str)>>);

impl Shut {
    /// The list of a kind is refused in a namespace; says whether that is news.
    pub fn close(&self, namespace: &str, kind: &'static str) -> bool {
        self.locked().insert((namespace.to_owned(), kind))
    }

    /// The kind was listed there after all.
    pub fn open(&self, namespace: &str, kind: &'static str) {
        self.locked().remove(&(namespace.to_owned(), kind));
    }

    /// Whether the list of any kind is refused in a namespace.
    #[must_use]
    pub fn has(&self, namespace: &str) -> bool {
        self.locked().iter().any(|(shut, _)| shut == namespace)
    }

    /// The namespaces that are shut.
    #[must_use]
    pub fn all(&self) -> BTreeSet<String> {
        self.locked().iter().map(|(shut, _)| shut.clone()).collect()
    }

    fn locked(&self) -> MutexGuard<'_, HashSet<(String, &'static str)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an error says that the list may not be had, rather than that it cannot be had just now.
#[must_use]
pub fn is_refused(error: &Error) -> bool {
    matches!(error, Error::InitialListFailed(kube::Error::Api(status)) if matches!(status.code, 403 | 404))
}

/// The delays of a watch that fails. A list that is begun is no success yet, as it is to kube's own delays, which would begin
/// anew with each try: only what comes after it is.
#[derive(Default)]
pub struct Patience {
    delays: DefaultBackoff,
    has_begun: bool,
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.has_begun = false;
        self.delays.next()
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        if std::mem::replace(&mut self.has_begun, true) {
            self.delays.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_until_a_list_has_come() {
        let mut patience = Patience::default();
        let mut failed = || {
            patience.reset();
            patience.next().unwrap_or_default()
        };
        let delays: Vec<Duration> = (0..8).map(|_| failed()).collect();
        assert!(delays[0] < Duration::from_secs(2) && delays[7] >= Duration::from_secs(30), "{delays:?}");
        // The list begins, and ends.
        patience.reset();
        patience.reset();
        assert!(patience.next() < Some(Duration::from_secs(2)));
    }
}
