//! How a client spends its budgets, one for each subscription: waits for its turn, and believes what ARM says is left.

use crate::budget::{Bucket, Budget, Urgency};
use crate::client::Client;
use crate::request::Request;
use crate::send::Told;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A wait for the budget that is worth a line in the log.
const LONG_WAIT: Duration = Duration::from_secs(1);

impl Client {
    /// Waits until a request may be sent, and notes in it how long that took; gives the budget that it took from.
    pub(crate) async fn spend(
        &self,
        request: &mut Request,
        subscription: &str,
        bucket: Bucket,
        urgency: Urgency,
    ) -> Arc<Budget> {
        let (budget, began) = (self.budget(subscription), Instant::now());
        budget.spend(bucket, urgency).await;
        let took = began.elapsed();
        if took > LONG_WAIT {
            tracing::debug!(class = bucket.word(), subscription, ?took, "waited for the budget");
        }
        request.waited = took;
        (self.transport.observer)(&Told::Waited { bucket, urgency, took });
        budget
    }

    /// The share that is left in the scarcest subscription of each bucket; none before a budget is used.
    #[must_use]
    pub fn left(&self) -> Vec<(Bucket, f64)> {
        let budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let least = |bucket| {
            budgets.values().map(|budget| budget.share(bucket)).reduce(f64::min).map(|share| (bucket, share))
        };
        Bucket::ALL.into_iter().filter_map(least).collect()
    }

    fn budget(&self, subscription: &str) -> Arc<Budget> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(Budget::new(self.limits));
        budgets.get_or_insert_with(subscription.to_ascii_lowercase(), make).clone()
    }
}
