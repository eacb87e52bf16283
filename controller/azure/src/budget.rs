//! The budget of requests: ARM's own token buckets, kept on our side so that ARM never has to say 429.
//!
//! In: what is about to be sent, and what ARM's headers say is left. Out: the moment at which it may be sent. Figures:
//! "Understand how Azure Resource Manager throttles requests" (250/25, 200/10 and 200/10 per principal and subscription).

use crate::class::Class;
use crate::error::Error;
use crate::lane::Lane;
pub use crate::limits::{Bucket, Limit, Limits, Urgency};
use crate::turns::payer;
use reqwest::header::HeaderMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How long a bucket is silent after a 429 that asks for no time: what Azure ML asks for in its words.
const UNASKED: Duration = Duration::from_secs(20);

/// The buckets of one principal in one subscription.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    lanes: Mutex<[Lane; 4]>,
    /// Wakes the task of a lane: a new request may go before the moment for which the task sleeps.
    earlier: [Notify; 4],
}

impl Budget {
    /// Full buckets.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let lanes = [limits.reads, limits.writes, limits.deletes, limits.data_plane];
        Self {
            limits,
            lanes: Mutex::new(lanes.map(|limit| Lane::new(limit, now))),
            earlier: Default::default(),
        }
    }

    /// Takes in what ARM said: how much is left, or for how long to be silent.
    pub(crate) fn hear(&self, bucket: Bucket, sent: Result<&HeaderMap, &Error>) {
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
                    self.left(bucket, remaining.max(0.0));
                }
            }
            Err(error) if error.class() == Class::Throttled => {
                let delay = error.retry_after().unwrap_or(UNASKED);
                // Resource Manager's own 429 is for everybody. Any other is a provider's, for what one namespace asked of it: recorded ones
                // come without a cause, and Resource Manager says beside them that more than a thousand requests are left.
                if error.refusal().is_some_and(|refusal| refusal.is_gateways) {
                    self.close(bucket, delay);
                } else {
                    self.close_for(bucket, &payer(), delay);
                }
            }
            Err(_) => {}
        }
    }

    /// Waits until a request may be sent, and takes its token. Payers take turns (round robin). Within one payer changes go before
    /// comparisons, and older requests before newer ones. Comparisons wait while less than a fifth of the bucket is left.
    pub async fn spend(self: &Arc<Self>, bucket: Bucket, urgency: Urgency) {
        let told = {
            let lane = &mut self.lanes()[place(bucket)];
            let told = lane.turns.wait(payer(), urgency);
            if let Some(next) = lane.serve(self.limit(bucket), Instant::now()) {
                if !std::mem::replace(&mut lane.is_served, true) {
                    tokio::spawn(self.clone().serve(bucket));
                } else if next < lane.due {
                    self.earlier[place(bucket)].notify_one();
                }
            }
            told
        };
        let _ = told.await;
    }

    /// The task of a lane: sends waiting requests as tokens come, and ends when none waits.
    async fn serve(self: Arc<Self>, bucket: Bucket) {
        while let Some(next) = self.next(bucket) {
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.earlier[place(bucket)].notified() => {}
            }
        }
    }

    fn next(&self, bucket: Bucket) -> Option<Instant> {
        let lane = &mut self.lanes()[place(bucket)];
        let next = lane.serve(self.limit(bucket), Instant::now());
        lane.is_served = next.is_some();
        lane.due = next.unwrap_or(lane.due);
        next
    }

    fn lanes(&self) -> MutexGuard<'_, [Lane; 4]> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// ARM says how much is left: never believe more.
    fn left(&self, bucket: Bucket, remaining: f64) {
        let level = &mut self.lanes()[place(bucket)].level;
        level.refill(self.limit(bucket), Instant::now());
        level.tokens = level.tokens.min(remaining);
    }

    /// The share of a bucket that is left: 1 when it is full, 0 when it is empty, on credit, or closed by ARM.
    #[must_use]
    pub fn share(&self, bucket: Bucket) -> f64 {
        let (limit, now) = (self.limit(bucket), Instant::now());
        let level = &mut self.lanes()[place(bucket)].level;
        level.refill(limit, now);
        if level.closed_until > now { 0.0 } else { (level.tokens / limit.burst).clamp(0.0, 1.0) }
    }

    /// ARM said 429: nothing of this kind is sent before the delay is over.
    fn close(&self, bucket: Bucket, delay: Duration) {
        let level = &mut self.lanes()[place(bucket)].level;
        level.closed_until = level.closed_until.max(Instant::now() + delay);
    }

    /// A provider said 429 to a payer: nothing of this kind is sent for it before the delay is over. Others go on.
    fn close_for(&self, bucket: Bucket, payer: &Arc<str>, delay: Duration) {
        self.lanes()[place(bucket)].turns.close(payer, Instant::now() + delay);
    }

    fn limit(&self, bucket: Bucket) -> Limit {
        match bucket {
            Bucket::Reads => self.limits.reads,
            Bucket::Writes => self.limits.writes,
            Bucket::Deletes => self.limits.deletes,
            Bucket::DataPlane => self.limits.data_plane,
        }
    }
}

fn place(bucket: Bucket) -> usize {
    match bucket {
        Bucket::Reads => 0,
        Bucket::Writes => 1,
        Bucket::Deletes => 2,
        Bucket::DataPlane => 3,
    }
}

#[cfg(test)]
mod tests;
