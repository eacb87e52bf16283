//! Permits for slow or large work: a limit for all namespaces and a smaller one for each. A slow namespace delays only itself.
//!
//! In: a namespace. Out: a permit. Does not know the work.

use crate::kept::Kept;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long the place of a namespace is kept that needs none.
const UNUSED: Duration = Duration::from_hours(1);

/// The places.
pub struct Places {
    for_one: usize,
    all: Arc<Semaphore>,
    each: Mutex<Kept<String, Arc<Semaphore>>>,
}

/// A permit, given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    _one: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Places {
    /// Limits for one namespace and for all.
    #[must_use]
    pub fn new(for_one: usize, for_all: usize) -> Self {
        Self { for_one, all: Arc::new(Semaphore::new(for_all)), each: Mutex::new(Kept::new(UNUSED)) }
    }

    /// Waits until a namespace has a place: first for its own place, so that it holds none of the others'. None at the end of the
    /// process.
    pub async fn permit(&self, namespace: &str) -> Option<Permit> {
        let own = {
            let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
            each.get_or_insert_with(namespace.to_owned(), || Arc::new(Semaphore::new(self.for_one))).clone()
        };
        let one = own.acquire_owned().await.ok()?;
        let all = self.all.clone().acquire_owned().await.ok()?;
        Some(Permit { _one: one, _all: all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn a_namespace_that_waits_holds_nobody_else_up() {
        let places = Places::new(4, 32);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(places.permit("slow").await.unwrap());
        }
        let soon = Duration::from_secs(1);
        assert!(timeout(soon, places.permit("slow")).await.is_err(), "it has all of its places");
        assert!(timeout(soon, places.permit("other")).await.is_ok());
        held.pop();
        assert!(timeout(soon, places.permit("slow")).await.is_ok());
    }
}
