//! How a client spends its budgets, one for each subscription: waits for its turn, and believes what ARM says is left.

use crate::budget::{Bucket, Budget, Urgency};
use crate::client::Client;
use crate::error::{Class, Error};
use crate::request::Request;
use crate::send::Told;
use crate::turns::payer;
use reqwest::header::HeaderMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a bucket is silent after a 429 that asks for no time: what Azure ML asks for in its words.
const UNASKED: Duration = Duration::from_secs(20);

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

/// Tells the budget what ARM said: how much is left, or for how long to be silent.
pub(crate) fn note(budget: &Budget, bucket: Bucket, sent: Result<&HeaderMap, &Error>) {
    match sent {
        Ok(headers) => {
            let word = match bucket {
                Bucket::Reads => "reads",
                Bucket::Writes => "writes",
                Bucket::Deletes => "deletes",
                Bucket::DataPlane => return,
            };
            let names = [
                format!("x-ms-ratelimit-remaining-subscription-{word}"),
                format!("x-ms-ratelimit-remaining-subscription-global-{word}"),
            ];
            for remaining in
                names.iter().filter_map(|name| headers.get(name)?.to_str().ok()?.parse::<f64>().ok())
            {
                budget.left(bucket, remaining.max(0.0));
            }
        }
        Err(error) if error.class() == Class::Throttled => {
            let delay = error.retry_after().unwrap_or(UNASKED);
            // Resource Manager's own 429 is for everybody. Any other is a provider's, for what one namespace asked of it: recorded ones
            // come without a cause, and Resource Manager says beside them that more than a thousand requests are left.
            if error.refusal().is_some_and(|refusal| refusal.is_gateways) {
                budget.close(bucket, delay);
            } else {
                budget.close_for(bucket, &payer(), delay);
            }
        }
        Err(_) => {}
    }
}
