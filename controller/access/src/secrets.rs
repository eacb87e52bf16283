//! Secrets that were read just now: many objects of one workspace need the same one.
//!
//! Kept for ten seconds, so that a new secret is soon in force. Never logged, never printed.

use crate::proof::Proof;
use azureml_client::places::Places;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const KEPT: Duration = Duration::from_secs(10);

/// Secrets by namespace and name.
pub struct Secrets {
    all: Mutex<HashMap<(String, String), (Proof, Instant)>>,
    /// So many are read at once.
    pub reads: Places,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { all: Mutex::default(), reads: Places::new(1, 8) }
    }
}

impl Secrets {
    /// A secret that was read just now.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Proof> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let (proof, at) = all.get(&(namespace.to_owned(), name.to_owned()))?;
        (at.elapsed() < KEPT).then(|| proof.clone())
    }

    /// Keeps a secret.
    pub fn keep(&self, namespace: &str, name: &str, proof: &Proof) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (_, at)| at.elapsed() < KEPT);
        all.insert((namespace.to_owned(), name.to_owned()), (proof.clone(), Instant::now()));
    }
}
