//! Round robin over payers (namespaces): many requests of one payer do not delay the single request of another.
//!
//! In: waiting requests with payer and urgency, payers that have to wait. Out: the request that goes next. Knows no budget.

use crate::limits::Urgency;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tokio::time::Instant;

tokio::task_local! {
    /// The payer of a task's requests: the namespace of the object that the pass is for.
    pub static PAYER: Arc<str>;
}

/// The payer of this task; an empty text outside of a [`PAYER`] scope.
#[must_use]
pub fn payer() -> Arc<str> {
    PAYER.try_with(Arc::clone).unwrap_or_default()
}

/// Requests that wait.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    waiting: HashMap<Arc<str>, Waiting>,
    /// Payers with waiting requests, the next one first.
    order: VecDeque<Arc<str>>,
    /// Payers that have to wait, and until when.
    closed: HashMap<Arc<str>, Instant>,
}

/// The requests of one payer, the oldest first.
#[derive(Debug, Default)]
struct Waiting {
    changes: VecDeque<Sender<()>>,
    comparisons: VecDeque<Sender<()>>,
}

impl Turns {
    /// Adds a waiting request. The receiver resolves when the request may go.
    pub fn wait(&mut self, payer: Arc<str>, urgency: Urgency) -> Receiver<()> {
        let (go, told) = channel();
        if !self.waiting.contains_key(&payer) {
            self.order.push_back(payer.clone());
        }
        let waiting = self.waiting.entry(payer).or_default();
        match urgency {
            Urgency::Change => waiting.changes.push_back(go),
            Urgency::Drift => waiting.comparisons.push_back(go),
        }
        told
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Serves nothing to a payer until then.
    pub fn close(&mut self, payer: &Arc<str>, until: Instant) {
        let closed = self.closed.entry(payer.clone()).or_insert(until);
        *closed = until.max(*closed);
    }

    /// Forgets the callers that have waited long enough.
    pub fn reopen(&mut self, now: Instant) {
        self.closed.retain(|_, until| *until > now);
    }

    /// The moment until which every payer that has a request has to wait; none where one may go.
    pub fn all_closed_until(&self) -> Option<Instant> {
        let all: Option<Vec<&Instant>> = self.order.iter().map(|payer| self.closed.get(payer)).collect();
        all?.into_iter().min().copied()
    }

    /// Whether a change waits that may go.
    pub fn has_changes(&self) -> bool {
        let is_open = |payer: &Arc<str>| !self.closed.contains_key(payer);
        let open = self.waiting.iter().filter(|(payer, _)| is_open(payer));
        open.flat_map(|(_, waiting)| &waiting.changes).any(|go| !go.is_closed())
    }

    /// Sends the next request: of the next payer, a change before a comparison. Gives its urgency.
    pub fn serve(&mut self, may_compare: bool) -> Option<Urgency> {
        self.next(|waiting| {
            if send(&mut waiting.changes) {
                return Some(Urgency::Change);
            }
            (may_compare && send(&mut waiting.comparisons)).then_some(Urgency::Drift)
        })
    }

    /// Sends the comparison of the next payer that has one; false if none has.
    pub fn serve_comparison(&mut self) -> bool {
        self.next(|waiting| send(&mut waiting.comparisons).then_some(())).is_some()
    }

    fn next<T>(&mut self, serve: impl Fn(&mut Waiting) -> Option<T>) -> Option<T> {
        for _ in 0..self.order.len() {
            let Some(payer) = self.order.pop_front() else { break };
            if self.closed.contains_key(&payer) {
                self.order.push_back(payer);
                continue;
            }
            let Some(waiting) = self.waiting.get_mut(&payer) else { continue };
            let served = serve(waiting);
            if waiting.changes.is_empty() && waiting.comparisons.is_empty() {
                self.waiting.remove(&payer);
            } else {
                self.order.push_back(payer);
            }
            if served.is_some() {
                return served;
            }
        }
        None
    }
}

/// Sends the first request whose receiver still waits.
fn send(queue: &mut VecDeque<Sender<()>>) -> bool {
    while let Some(go) = queue.pop_front() {
        if go.send(()).is_ok() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payers_are_served_in_turn_and_changes_of_each_first() {
        let mut turns = Turns::default();
        let mut told: Vec<(&str, Receiver<()>)> = Vec::new();
        for (payer, urgency, name) in [
            ("a", Urgency::Drift, "a compares"),
            ("a", Urgency::Change, "a 1"),
            ("a", Urgency::Change, "a 2"),
            ("b", Urgency::Change, "b 1"),
            ("c", Urgency::Drift, "c compares"),
        ] {
            told.push((name, turns.wait(payer.into(), urgency)));
        }
        drop(told.remove(2));
        let mut gone = Vec::new();
        while turns.serve(gone.len() >= 2).is_some() {
            let next = told.iter_mut().position(|(_, told)| told.try_recv().is_ok()).unwrap();
            gone.push(told.remove(next).0);
        }
        assert_eq!(gone, ["a 1", "b 1", "c compares", "a compares"]);
        assert!(turns.is_empty() && !turns.has_changes());
    }
}
