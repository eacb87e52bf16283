//! A map with an expiry: it forgets entries that were not used for a while, and the least recently used one where it is full.
//!
//! In: keys and values. Out: the values of keys that are in use.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;
use tokio::time::Instant;

/// Number of sweeps per expiry period.
const SWEEPS: u32 = 60;

/// Values, and when each was asked for last.
#[derive(Debug)]
pub struct Kept<K, V> {
    all: HashMap<K, (V, Instant)>,
    unused: Duration,
    most: usize,
    swept: Instant,
}

impl<K: Eq + Hash, V> Kept<K, V> {
    /// Nothing yet; what is unused is kept for so long.
    #[must_use]
    pub fn new(unused: Duration) -> Self {
        Self { all: HashMap::new(), unused, most: usize::MAX, swept: Instant::now() }
    }

    /// The same, with at most so many keys.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The value of a key, made where there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &V {
        let now = Instant::now();
        self.sweep(now);
        self.make_room(&key);
        let (value, used) = self.all.entry(key).or_insert_with(|| (make(), now));
        *used = now;
        value
    }

    /// The same, to be changed.
    pub fn get_or_insert_mut<Q>(&mut self, key: &Q, make: impl FnOnce() -> V) -> &mut V
    where
        K: Borrow<Q> + for<'a> From<&'a Q>,
        Q: Eq + Hash + ?Sized,
    {
        let now = Instant::now();
        self.sweep(now);
        let key = K::from(key);
        self.make_room(&key);
        let (value, used) = self.all.entry(key).or_insert_with(|| (make(), now));
        *used = now;
        value
    }

    /// The value of a key.
    pub fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let now = Instant::now();
        self.sweep(now);
        self.all.get_mut(key).map(|(value, used)| {
            *used = now;
            &*value
        })
    }

    /// Gives a key a value.
    pub fn insert(&mut self, key: K, value: V) {
        let now = Instant::now();
        self.sweep(now);
        self.make_room(&key);
        self.all.insert(key, (value, now));
    }

    /// Whether there is a key.
    pub fn has<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        let now = Instant::now();
        self.sweep(now);
        self.all.get_mut(key).map(|(_, used)| *used = now).is_some()
    }

    /// Forgets a key.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.all.remove(key);
    }

    /// Forgets all keys but some.
    pub fn retain(&mut self, is_kept: impl Fn(&K) -> bool) {
        self.all.retain(|key, _| is_kept(key));
    }

    /// The keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.all.keys()
    }

    /// The values, in no order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.all.values().map(|(value, _)| value)
    }

    /// Forgets an eighth of a full map, so that this is seldom done.
    fn make_room(&mut self, key: &K) {
        if self.all.len() < self.most || self.all.contains_key(key) {
            return;
        }
        let mut used: Vec<Instant> = self.all.values().map(|(_, used)| *used).collect();
        let (_, last, _) = used.select_nth_unstable(self.most / 8);
        let last = *last;
        self.all.retain(|_, (_, used)| *used > last);
    }

    fn sweep(&mut self, now: Instant) {
        if now.duration_since(self.swept) >= self.unused / SWEEPS {
            self.swept = now;
            self.all.retain(|_, (_, used)| now.duration_since(*used) < self.unused);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_for_is_kept_and_the_rest_is_forgotten() {
        let mut kept = Kept::new(Duration::from_hours(1));
        for key in ["a", "b", "c"] {
            kept.get_or_insert_with(key, || 1);
        }
        advance(Duration::from_mins(40)).await;
        assert!(kept.has("a"));
        assert_eq!(kept.get_or_insert_with("b", || 2), &1);
        advance(Duration::from_mins(40)).await;
        assert!(kept.has("a") && kept.has("b") && !kept.has("c"));
        assert_eq!(kept.values().count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_map_forgets_what_was_not_asked_for_the_longest() {
        let mut kept = Kept::new(Duration::from_hours(1)).at_most(16);
        for key in 0..100 {
            assert!(key == 0 || kept.has(&0));
            kept.insert(key, ());
            advance(Duration::from_secs(1)).await;
            assert!(kept.values().count() <= 16);
        }
        assert!(kept.has(&0) && kept.has(&99) && !kept.has(&50));
    }
}
