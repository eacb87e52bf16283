//! The budget of requests: ARM's own token buckets, kept on our side so that ARM never has to say 429.
//!
//! In: what is about to be sent, and what ARM's headers say is left. Out: the moment at which it may be sent. Figures:
//! "Understand how Azure Resource Manager throttles requests" (250/25, 200/10 and 200/10 per principal and subscription).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
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

/// A share of the bucket that comparisons leave to changes.
const RESERVE: f64 = 0.2;

/// The buckets of one principal in one subscription.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    levels: Mutex<[Level; 4]>,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    tokens: f64,
    at: Instant,
    closed_until: Instant,
}

impl Level {
    fn refill(&mut self, limit: Limit, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * limit.per_second).min(limit.burst);
        self.at = now;
    }
}

impl Budget {
    /// Full buckets.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let full = |limit: Limit| Level { tokens: limit.burst, at: now, closed_until: now };
        let levels = [full(limits.reads), full(limits.writes), full(limits.deletes), full(limits.data_plane)];
        Self { limits, levels: Mutex::new(levels) }
    }

    /// Waits until a request may be sent, and takes its token. Whoever asked first goes first; comparisons wait while
    /// less than a fifth of the bucket is left.
    pub async fn spend(&self, bucket: Bucket, urgency: Urgency) {
        let mut reserved = false;
        while let Some(until) = self.take(bucket, urgency, &mut reserved) {
            sleep_until(until).await;
        }
    }

    /// Takes a token, or says when to ask again. A change takes its token at once, also on credit, and then waits for its turn.
    fn take(&self, bucket: Bucket, urgency: Urgency, reserved: &mut bool) -> Option<Instant> {
        let limit = self.limit(bucket);
        let now = Instant::now();
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = &mut levels[place(bucket)];
        level.refill(limit, now);
        if level.closed_until > now {
            return Some(level.closed_until);
        }
        let floor = if urgency == Urgency::Drift { limit.burst * RESERVE } else { 0.0 };
        if *reserved {
            return None;
        }
        let missing = floor + 1.0 - level.tokens;
        if missing <= 0.0 {
            level.tokens -= 1.0;
            return None;
        }
        if urgency == Urgency::Change {
            level.tokens -= 1.0;
            *reserved = true;
        }
        Some(now + Duration::from_secs_f64(missing / limit.per_second))
    }

    /// ARM says how much is left: never believe more.
    pub fn left(&self, bucket: Bucket, remaining: f64) {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = &mut levels[place(bucket)];
        level.refill(self.limit(bucket), Instant::now());
        level.tokens = level.tokens.min(remaining);
    }

    /// The share of a bucket that is left: 1 when it is full, 0 when it is empty, on credit, or closed by ARM.
    #[must_use]
    pub fn share(&self, bucket: Bucket) -> f64 {
        let (limit, now) = (self.limit(bucket), Instant::now());
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = &mut levels[place(bucket)];
        level.refill(limit, now);
        if level.closed_until > now { 0.0 } else { (level.tokens / limit.burst).clamp(0.0, 1.0) }
    }

    /// ARM said 429: nothing of this kind is sent before the delay is over.
    pub fn close(&self, bucket: Bucket, delay: Duration) {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = &mut levels[place(bucket)];
        level.closed_until = level.closed_until.max(Instant::now() + delay);
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
mod tests {
    use super::*;

    fn budget() -> Budget {
        Budget::new(Limits { writes: Limit { burst: 10.0, per_second: 2.0 }, ..Limits::default() })
    }

    async fn spend_all(budget: &Budget, count: usize, urgency: Urgency) -> Duration {
        let start = Instant::now();
        futures::future::join_all((0..count).map(|_| budget.spend(Bucket::Writes, urgency))).await;
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let budget = budget();
        assert_eq!(spend_all(&budget, 10, Urgency::Change).await, Duration::ZERO);
        let took = spend_all(&budget, 4, Urgency::Change).await;
        assert!((1.9..2.2).contains(&took.as_secs_f64()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn comparisons_leave_a_reserve_to_changes() {
        let budget = budget();
        assert_eq!(spend_all(&budget, 8, Urgency::Drift).await, Duration::ZERO);
        assert_eq!(spend_all(&budget, 2, Urgency::Change).await, Duration::ZERO);
        assert!(spend_all(&budget, 1, Urgency::Drift).await >= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_azure_says_is_left_counts() {
        let budget = budget();
        budget.left(Bucket::Writes, 0.0);
        assert!(spend_all(&budget, 1, Urgency::Change).await >= Duration::from_millis(400));
        budget.left(Bucket::Writes, 1000.0);
        assert!(spend_all(&budget, 1, Urgency::Change).await >= Duration::from_millis(400));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_told_as_a_share() {
        let budget = budget();
        spend_all(&budget, 5, Urgency::Change).await;
        assert!((budget.share(Bucket::Writes) - 0.5).abs() < 0.01);
        assert!((budget.share(Bucket::Reads) - 1.0).abs() < 0.01);
        budget.close(Bucket::Writes, Duration::from_secs(7));
        assert!(budget.share(Bucket::Writes).abs() < 0.01);
    }

    #[tokio::test(start_paused = true)]
    async fn after_429_nothing_is_sent_before_the_delay_is_over() {
        let budget = budget();
        budget.close(Bucket::Writes, Duration::from_secs(7));
        assert!(spend_all(&budget, 1, Urgency::Change).await >= Duration::from_secs(7));
    }
}
