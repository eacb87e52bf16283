//! The way from a watch to the passes of a kind: names of objects to be woken.

use super::relations::Name;
use futures::Stream;
use kube::Resource;
use kube::runtime::reflector::ObjectRef;
use std::collections::HashMap;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The entrances of all queues, by kind.
#[derive(Clone, Debug, Default)]
pub struct Wakers(HashMap<&'static str, UnboundedSender<(String, String)>>);

impl Wakers {
    /// Opens the queue of a kind and gives its exit.
    pub fn open(&mut self, kind: &'static str) -> UnboundedReceiver<(String, String)> {
        let (entrance, exit) = unbounded_channel();
        self.0.insert(kind, entrance);
        exit
    }

    /// Wakes some objects.
    pub fn wake_all(&self, names: impl IntoIterator<Item = Name>) {
        for name in names {
            self.wake(name);
        }
    }

    /// Wakes an object. One that nobody listens for any more is not woken: the process is ending.
    pub fn wake(&self, name: Name) {
        if let Some(entrance) = self.0.get(name.kind) {
            let _ = entrance.send((name.namespace, name.name));
        }
    }
}

/// The names that come out of a queue, as references to a kind.
pub fn exit<K: Resource<DynamicType = ()>>(
    queue: UnboundedReceiver<(String, String)>,
) -> impl Stream<Item = ObjectRef<K>> + Send {
    futures::stream::unfold(queue, |mut queue| async move {
        let (namespace, name) = queue.recv().await?;
        Some((ObjectRef::new(&name).within(&namespace), queue))
    })
}
