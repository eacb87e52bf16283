//! What will happen by itself, and when: a queue of events ordered by time, then by when they were set.
//! In: events with their time. Out: those that are due. It does not know what an event does.

use jiff::Timestamp;
use std::collections::BTreeMap;

/// Something that happens by itself. Keys are lower-cased ARM ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A long-running operation ends.
    Operation(String),
    /// The nodes of a cluster move on: (workspace, compute).
    Nodes(String, String),
    /// A step, or a job as a whole, enters its next phase: (workspace, run).
    Run(String, String),
    /// A running step has used up its time limit: (workspace, run).
    Timeout(String, String),
    /// A schedule fires: (workspace, schedule, its generation when this was set).
    Fire(String, String, u64),
    /// A build in a registry enters its next phase: (registry, run).
    Build(String, String),
    /// A run on Databricks enters its next phase.
    Databricks(u64),
    /// A run on Databricks has used up its time limit.
    DatabricksTimeout(u64),
}

/// The queue.
#[derive(Debug, Default)]
pub struct Timers {
    queue: BTreeMap<(Timestamp, u64), Event>,
    set: u64,
}

impl Timers {
    /// Lets `event` happen at `at`.
    pub fn set(&mut self, at: Timestamp, event: Event) {
        self.set += 1;
        self.queue.insert((at, self.set), event);
    }

    /// The next event that is due at `now`, with the time it was set for.
    pub fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, Event)> {
        let entry = self.queue.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, _), event) = entry.remove_entry();
        Some((at, event))
    }

    /// When the next event is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.queue.keys().next().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn events_come_out_by_time_and_then_in_the_order_they_were_set() {
        let start = Timestamp::UNIX_EPOCH;
        let later = start + SignedDuration::from_secs(5);
        let mut timers = Timers::default();
        for (at, name) in [(later, "c"), (start, "a"), (start, "b")] {
            timers.set(at, Event::Operation(name.into()));
        }
        let mut order = Vec::new();
        while let Some((at, Event::Operation(name))) = timers.pop(later) {
            order.push((at, name));
        }
        assert_eq!(order, [(start, "a".into()), (start, "b".into()), (later, "c".into())]);
        assert_eq!(timers.next(), None);
    }
}
