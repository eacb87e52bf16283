//! The budget of requests: ARM's own token buckets, kept on our side so that ARM never has to say 429.
//!
//! In: what is about to be sent, and what ARM's headers say is left. Out: the moment at which it may be sent. Figures:
//! "Understand how Azure Resource Manager throttles requests" (250/25, 200/10 and 200/10 per principal and subscription).

use crate::lane::Lane;
use crate::turns::payer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Which bucket a request takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// GET and the POSTs that only read.
    Reads,
    /// PUT, PATCH and the POSTs that act.
    Writes,
    /// DELETE.
    Deletes,
    /// Anything that does not go through ARM.
    DataPlane,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 4] = [Self::Reads, Self::Writes, Self::Deletes, Self::DataPlane];

    /// Its word in metrics, traces and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Deletes => "deletes",
            Self::DataPlane => "data_plane",
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody changed something and waits.
    Change,
    /// A comparison that can wait: it leaves a reserve to changes.
    Drift,
}

/// The size of a bucket and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Requests that may go at once.
    pub burst: f64,
    /// Requests per second after that.
    pub per_second: f64,
}

/// The limits of one principal in one subscription.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Reads.
    pub reads: Limit,
    /// Writes.
    pub writes: Limit,
    /// Deletes.
    pub deletes: Limit,
    /// Everything outside of ARM.
    pub data_plane: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        let writes = Limit { burst: 200.0, per_second: 10.0 };
        let reads = Limit { burst: 250.0, per_second: 25.0 };
        Self { reads, writes, deletes: writes, data_plane: reads }
    }
}

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
    pub fn left(&self, bucket: Bucket, remaining: f64) {
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
    pub fn close(&self, bucket: Bucket, delay: Duration) {
        let level = &mut self.lanes()[place(bucket)].level;
        level.closed_until = level.closed_until.max(Instant::now() + delay);
    }

    /// A provider said 429 to a payer: nothing of this kind is sent for it before the delay is over. Others go on.
    pub fn close_for(&self, bucket: Bucket, payer: &Arc<str>, delay: Duration) {
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
