//! The way from a watch to the passes of a kind: names of objects to be woken, each at most once at a time.

use super::relations::Name;
use crate::metrics::{Latency, Queued, Sample};
use futures::Stream;
use kube::Resource;
use kube::runtime::reflector::ObjectRef;
use std::collections::hash_map::Entry as MapEntry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Names that wait, in their order. Nobody empties it before this process leads, so a name is in it once.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    more: Notify,
    latency: OnceLock<Latency>,
}

type Key = (String, String);

#[derive(Debug, Default)]
struct Waiting {
    order: VecDeque<Key>,
    names: HashMap<Key, Entry>,
    /// When the passes that run began, the oldest first.
    running: BTreeMap<u64, Instant>,
    begun: u64,
    adds: u64,
    retries: u64,
}

/// A name whose pass has not begun.
#[derive(Debug)]
struct Entry {
    since: Instant,
    /// Whether it is still in the order, or was handed out already.
    is_in_order: bool,
}

impl Queue {
    fn add(&self, name: Key) {
        let mut waiting = self.locked();
        let waiting = &mut *waiting;
        match waiting.names.entry(name) {
            MapEntry::Occupied(mut entry) if !entry.get().is_in_order => {
                // Handed out, and perhaps read already as it was before: another pass must see what is new.
                entry.get_mut().is_in_order = true;
                waiting.order.push_back(entry.key().clone());
            }
            MapEntry::Occupied(_) => return,
            MapEntry::Vacant(entry) => {
                waiting.adds += 1;
                waiting.order.push_back(entry.key().clone());
                entry.insert(Entry { since: Instant::now(), is_in_order: true });
            }
        }
        self.more.notify_one();
    }

    fn take(&self) -> Option<Key> {
        let mut waiting = self.locked();
        let name = waiting.order.pop_front()?;
        if let Some(entry) = waiting.names.get_mut(&name) {
            entry.is_in_order = false;
        }
        Some(name)
    }

    async fn next(&self) -> Key {
        loop {
            if let Some(name) = self.take() {
                return name;
            }
            // A name that came meanwhile has left its permit.
            self.more.notified().await;
        }
    }

    /// The queue is worked off from now on: what waited for that has waited for no pass.
    pub fn open(&self, latency: Latency) {
        let now = Instant::now();
        self.locked().names.values_mut().for_each(|entry| entry.since = now);
        let _ = self.latency.set(latency);
    }

    /// A pass begins; the number under which it ends.
    pub fn begun(&self, namespace: &str, name: &str) -> u64 {
        let (mut waiting, now) = (self.locked(), Instant::now());
        let waited = waiting.leave(namespace, name, now);
        if waited.is_none() {
            // Its time had come.
            waiting.adds += 1;
        }
        if let Some(latency) = self.latency.get() {
            latency.waited(waited.unwrap_or_default());
        }
        waiting.begun += 1;
        let number = waiting.begun;
        waiting.running.insert(number, now);
        number
    }

    /// A pass has ended; `is_retried` where it failed and is made again.
    pub fn ended(&self, number: u64, is_retried: bool) {
        let mut waiting = self.locked();
        waiting.running.remove(&number);
        waiting.retries += u64::from(is_retried);
    }

    /// A name that was handed out has no object any more.
    pub fn lost(&self, namespace: &str, name: &str) {
        let _ = self.locked().leave(namespace, name, Instant::now());
    }

    fn locked(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// How long a name waited. One that came again meanwhile waits on, for the next pass.
    fn leave(&mut self, namespace: &str, name: &str, now: Instant) -> Option<Duration> {
        let key = (namespace.to_owned(), name.to_owned());
        let entry = self.names.get_mut(&key)?;
        let waited = now.saturating_duration_since(entry.since);
        if entry.is_in_order {
            entry.since = now;
        } else {
            self.names.remove(&key);
        }
        Some(waited)
    }
}

impl Queued for Queue {
    fn sample(&self) -> Sample {
        let (waiting, now) = (self.locked(), Instant::now());
        let ages = waiting.running.values().map(|began| now.saturating_duration_since(*began));
        Sample {
            depth: i64::try_from(waiting.names.len()).unwrap_or(i64::MAX),
            adds: waiting.adds,
            retries: waiting.retries,
            running: i64::try_from(waiting.running.len()).unwrap_or(i64::MAX),
            unfinished: ages.clone().sum(),
            longest: ages.max().unwrap_or_default(),
        }
    }
}

/// The entrances of all queues, by kind.
#[derive(Clone, Debug, Default)]
pub struct Wakers(HashMap<&'static str, Arc<Queue>>);

impl Wakers {
    /// Opens the queue of a kind and gives its exit.
    pub fn open(&mut self, kind: &'static str) -> Arc<Queue> {
        self.0.entry(kind).or_default().clone()
    }

    /// Wakes some objects.
    pub fn wake_all(&self, names: impl IntoIterator<Item = Name>) {
        for name in names {
            self.wake(name);
        }
    }

    /// Wakes an object.
    pub fn wake(&self, name: Name) {
        if let Some(queue) = self.0.get(name.kind) {
            queue.add((name.namespace, name.name));
        }
    }
}

/// The names that come out of a queue, as references to a kind.
pub fn exit<K: Resource<DynamicType = ()>>(queue: Arc<Queue>) -> impl Stream<Item = ObjectRef<K>> + Send {
    futures::stream::unfold(queue, |queue| async move {
        let (namespace, name) = queue.next().await;
        Some((ObjectRef::new(&name).within(&namespace), queue))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_waits_once_and_in_its_order() {
        let queue = Queue::default();
        let name = |name: &str| ("n".to_owned(), name.to_owned());
        for woken in ["a", "b", "a", "a"] {
            queue.add(name(woken));
        }
        assert_eq!([queue.next().await, queue.next().await], [name("a"), name("b")]);
        assert_eq!(queue.take(), None);
        queue.add(name("a"));
        assert_eq!(queue.next().await, name("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn it_tells_what_waits_what_runs_and_for_how_long() {
        let queue = Queue::default();
        queue.add(("n".into(), "a".into()));
        queue.add(("n".into(), "b".into()));
        assert_eq!((queue.sample().depth, queue.sample().adds), (2, 2));
        let _ = queue.next().await;
        assert_eq!(queue.sample().depth, 2, "handed out is not begun");
        let number = queue.begun("n", "a");
        tokio::time::advance(Duration::from_secs(5)).await;
        let sample = queue.sample();
        assert_eq!((sample.depth, sample.running, sample.longest), (1, 1, Duration::from_secs(5)));
        // It changes while its pass runs, and waits again.
        queue.add(("n".into(), "a".into()));
        assert_eq!(queue.sample().depth, 2);
        queue.ended(number, true);
        assert_eq!((queue.sample().running, queue.sample().retries), (0, 1));
    }

    #[tokio::test]
    async fn what_changes_after_it_was_handed_out_gets_a_pass_of_its_own() {
        let queue = Queue::default();
        let name = || ("n".to_owned(), "a".to_owned());
        queue.add(name());
        assert_eq!(queue.next().await, name());
        queue.add(name());
        let number = queue.begun("n", "a");
        assert_eq!(queue.sample().depth, 1, "it waits on");
        assert_eq!(queue.next().await, name());
        queue.ended(number, false);
        let _ = queue.begun("n", "a");
        assert_eq!(queue.sample().depth, 0);
        queue.add(name());
        assert_eq!(queue.next().await, name());
        queue.lost("n", "a");
        assert_eq!(queue.sample().depth, 0, "an object that is gone waits for nothing");
    }
}
