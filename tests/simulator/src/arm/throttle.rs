//! The request limits of Azure Resource Manager: token buckets per principal and subscription, and per subscription.
//! Source: learn.microsoft.com, "Understand how Azure Resource Manager throttles requests".
//! In: the caller, what it asks for, and the time. Out: what is left, or how long to wait.

use http::Method;
use jiff::Timestamp;
use std::collections::HashMap;

/// How many times a principal's limit all principals of a subscription have together.
const GLOBAL: f64 = 15.0;

/// The three kinds of requests that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GET and HEAD.
    Read,
    /// PUT, PATCH and POST.
    Write,
    /// DELETE.
    Delete,
}

impl Kind {
    /// The kind of a method.
    pub fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Read,
            Method::DELETE => Self::Delete,
            _ => Self::Write,
        }
    }

    /// Bucket size and refill in a second.
    fn limit(self) -> (f64, f64) {
        match self {
            Self::Read => (250.0, 25.0),
            Self::Write | Self::Delete => (200.0, 10.0),
        }
    }

    /// The word in error texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    /// The headers that say what is left: of the principal's bucket, of the subscription's.
    pub fn headers(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => (
                "x-ms-ratelimit-remaining-subscription-reads",
                "x-ms-ratelimit-remaining-subscription-global-reads",
            ),
            Self::Write => (
                "x-ms-ratelimit-remaining-subscription-writes",
                "x-ms-ratelimit-remaining-subscription-global-writes",
            ),
            Self::Delete => (
                "x-ms-ratelimit-remaining-subscription-deletes",
                "x-ms-ratelimit-remaining-subscription-global-deletes",
            ),
        }
    }
}

/// What is left after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Of the principal's bucket.
    pub own: u64,
    /// Of the subscription's bucket.
    pub global: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: f64,
    at: Timestamp,
}

impl Bucket {
    fn refill(&mut self, now: Timestamp, size: f64, rate: f64) {
        let passed = now.duration_since(self.at).as_secs_f64().max(0.0);
        self.level = (self.level + passed * rate).min(size);
        self.at = now;
    }
}

/// Principal (empty for all together), subscription and kind.
type Key = (String, String, Kind);

/// All buckets.
#[derive(Debug, Default)]
pub struct Throttle {
    buckets: HashMap<Key, Bucket>,
}

impl Throttle {
    /// Takes one request out of both buckets; when one is empty, tells the seconds until it is not, and takes nothing.
    pub fn take(
        &mut self,
        principal: &str,
        subscription: &str,
        kind: Kind,
        now: Timestamp,
    ) -> Result<Left, u64> {
        let (_, rate) = kind.limit();
        let key = |name: &str| (name.to_owned(), subscription.to_owned(), kind);
        let own = self.level(key(principal), now, 1.0);
        let global = self.level(key(""), now, GLOBAL);
        if own < 1.0 || global < 1.0 {
            return Err(whole(((1.0 - own) / rate).max((1.0 - global) / (rate * GLOBAL)).ceil()).max(1));
        }
        for name in [principal, ""] {
            if let Some(bucket) = self.buckets.get_mut(&key(name)) {
                bucket.level -= 1.0;
            }
        }
        Ok(Left { own: whole((own - 1.0).floor()), global: whole((global - 1.0).floor()) })
    }

    /// What a bucket holds now; `times` is how much larger it is than a principal's.
    fn level(&mut self, key: Key, now: Timestamp, times: f64) -> f64 {
        let (size, rate) = key.2.limit();
        let bucket = self.buckets.entry(key).or_insert(Bucket { level: size * times, at: now });
        bucket.refill(now, size * times, rate * times);
        bucket.level
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "levels and waits are small and not negative"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_principal_has_200_writes_and_10_more_each_second() {
        let mut throttle = Throttle::default();
        let start = Timestamp::UNIX_EPOCH;
        for left in (0..200).rev() {
            assert_eq!(throttle.take("p", "s", Kind::Write, start).unwrap().own, left);
        }
        assert_eq!(throttle.take("p", "s", Kind::Write, start), Err(1));
        assert!(throttle.take("other", "s", Kind::Write, start).is_ok(), "each principal has its own bucket");
        assert!(throttle.take("p", "s", Kind::Read, start).is_ok(), "reads are counted apart");
        let later = start + SignedDuration::from_secs(1);
        let taken = (0..20).filter(|_| throttle.take("p", "s", Kind::Write, later).is_ok()).count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn all_principals_together_have_fifteen_times_as_much() {
        let mut throttle = Throttle::default();
        let taken = (0..4000)
            .filter(|n| {
                throttle.take(&(n / 200).to_string(), "s", Kind::Write, Timestamp::UNIX_EPOCH).is_ok()
            })
            .count();
        assert_eq!(taken, 3000);
    }
}
