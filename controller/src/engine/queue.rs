//! The way from a watch to the passes of a kind: names of objects to be woken, each at most once at a time.

use super::relations::Name;
use futures::Stream;
use kube::Resource;
use kube::runtime::reflector::ObjectRef;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Names that wait, in their order. Nobody empties it before this process leads, so a name is in it once.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    order: VecDeque<(String, String)>,
    names: HashSet<(String, String)>,
}

impl Queue {
    fn add(&self, name: (String, String)) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.names.insert(name.clone()) {
            waiting.order.push_back(name);
            self.more.notify_one();
        }
    }

    fn take(&self) -> Option<(String, String)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let name = waiting.order.pop_front()?;
        waiting.names.remove(&name);
        Some(name)
    }

    async fn next(&self) -> (String, String) {
        loop {
            if let Some(name) = self.take() {
                return name;
            }
            // A name that came meanwhile has left its permit.
            self.more.notified().await;
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
}
