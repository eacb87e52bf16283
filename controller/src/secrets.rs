//! Secrets that were read just now: many objects of one workspace need the same one.
//!
//! Kept for ten seconds, so that a new secret is soon in force. Never logged, never printed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const KEPT: Duration = Duration::from_secs(10);

/// Secrets by namespace and name.
#[derive(Default)]
pub struct Secrets(Mutex<HashMap<(String, String), (String, Instant)>>);

impl Secrets {
    /// A secret that was read just now.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (secret, at) = all.get(&(namespace.to_owned(), name.to_owned()))?;
        (at.elapsed() < KEPT).then(|| secret.clone())
    }

    /// Keeps a secret.
    pub fn keep(&self, namespace: &str, name: &str, secret: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (_, at)| at.elapsed() < KEPT);
        all.insert((namespace.to_owned(), name.to_owned()), (secret.to_owned(), Instant::now()));
    }
}
