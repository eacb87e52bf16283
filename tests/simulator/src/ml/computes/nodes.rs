//! The nodes of a cluster: how many there should be, and what each is doing. Plain data and arithmetic, no world.
//! In: the scale settings, claims of steps, the time. Out: which steps got their nodes, and when to look again.

use crate::clock::stamp;
use crate::ids::uuid_of;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Properties of a cluster that change by themselves.
pub const VOLATILE: [&str; 5] = [
    "allocationState",
    "allocationStateTransitionTime",
    "currentNodeCount",
    "targetNodeCount",
    "nodeStateCounts",
];

/// How many nodes a cluster may have, and how long one may be idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Never fewer.
    pub min: usize,
    /// Never more.
    pub max: usize,
    /// An idle node beyond `min` goes after this time.
    pub idle: SignedDuration,
}

/// A step that wants nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The step's run.
    pub run: String,
    /// How many it wants at once.
    pub count: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Preparing,
    Idle,
    Running(String),
    Leaving,
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Idle => "idle",
            Self::Running(_) => "running",
            Self::Leaving => "leaving",
        }
    }
}

#[derive(Clone, Debug)]
struct Node {
    number: u64,
    state: State,
    since: Timestamp,
}

/// What a look at the nodes led to.
#[derive(Debug, Default)]
pub struct Moved {
    /// Runs that have their nodes now.
    pub granted: Vec<String>,
    /// When nodes change by themselves next.
    pub next: Option<Timestamp>,
}

/// All nodes of one cluster, and the jobs that wait for some.
#[derive(Clone, Debug)]
pub struct Nodes {
    all: Vec<Node>,
    claims: VecDeque<Claim>,
    made: u64,
    target: usize,
    changed: Timestamp,
}

impl Nodes {
    /// No nodes yet.
    pub fn new(now: Timestamp) -> Self {
        Self { all: Vec::new(), claims: VecDeque::new(), made: 0, target: 0, changed: now }
    }

    /// Puts a step in the queue.
    pub fn claim(&mut self, claim: Claim) {
        self.claims.push_back(claim);
    }

    /// Takes a step out: its nodes are idle, or it waits no longer.
    pub fn release(&mut self, run: &str, now: Timestamp) {
        self.claims.retain(|claim| claim.run != run);
        for node in self.all.iter_mut().filter(|node| node.state == State::Running(run.to_owned())) {
            node.state = State::Idle;
            node.since = now;
        }
    }

    /// Runs that have nodes or wait for them.
    pub fn runs(&self) -> Vec<String> {
        let busy = self.all.iter().filter_map(|node| match &node.state {
            State::Running(run) => Some(run.clone()),
            State::Preparing | State::Idle | State::Leaving => None,
        });
        busy.chain(self.claims.iter().map(|claim| claim.run.clone())).collect()
    }

    /// Lets nodes come, work and go, as far as the time has come for it.
    pub fn balance(&mut self, scale: Scale, now: Timestamp, node_time: SignedDuration) -> Moved {
        let before = self.words();
        self.settle(now, node_time);
        let granted = self.grant(now);
        self.resize(scale, now);
        // Nodes that take no time are there at once.
        self.settle(now, node_time);
        let granted = [granted, self.grant(now)].concat();
        if self.words() != before {
            self.changed = now;
        }
        Moved { granted, next: self.next(scale, now, node_time) }
    }

    fn words(&self) -> Vec<&'static str> {
        self.all.iter().map(|node| node.state.word()).collect()
    }

    fn settle(&mut self, now: Timestamp, node_time: SignedDuration) {
        self.all.retain(|node| node.state != State::Leaving || node.since + node_time > now);
        for node in self.all.iter_mut().filter(|node| node.state == State::Preparing) {
            if node.since + node_time <= now {
                node.state = State::Idle;
                node.since += node_time;
            }
        }
    }

    fn count(&self, wanted: impl Fn(&State) -> bool) -> usize {
        self.all.iter().filter(|node| wanted(&node.state)).count()
    }

    /// First come, first served: a step that wants many nodes is not overtaken.
    fn grant(&mut self, now: Timestamp) -> Vec<String> {
        let mut granted = Vec::new();
        while let Some(claim) = self.claims.front().cloned() {
            if self.count(|state| *state == State::Idle) < claim.count {
                break;
            }
            let idle = self.all.iter_mut().filter(|node| node.state == State::Idle).take(claim.count);
            for node in idle {
                node.state = State::Running(claim.run.clone());
                node.since = now;
            }
            self.claims.pop_front();
            granted.push(claim.run);
        }
        granted
    }

    fn resize(&mut self, scale: Scale, now: Timestamp) {
        let busy = self.count(|state| matches!(state, State::Running(_)));
        let wanted = busy + self.claims.iter().map(|claim| claim.count).sum::<usize>();
        let there = self.count(|state| *state != State::Leaving);
        let expired = |node: &Node| node.state == State::Idle && node.since + scale.idle <= now;
        let kept = there - self.all.iter().filter(|node| expired(node)).count();
        self.target = wanted.max(kept).clamp(scale.min, scale.max.max(scale.min));
        for _ in there..self.target {
            self.made += 1;
            self.all.push(Node { number: self.made, state: State::Preparing, since: now });
        }
        let surplus = there.saturating_sub(self.target);
        let over = there > scale.max;
        let leaving = self.all.iter_mut().filter(|node| node.state == State::Idle && (over || expired(node)));
        for node in leaving.take(surplus) {
            node.state = State::Leaving;
            node.since = now;
        }
    }

    fn next(&self, scale: Scale, now: Timestamp, node_time: SignedDuration) -> Option<Timestamp> {
        let spare = self.count(|state| *state != State::Leaving) > scale.min;
        let due = |node: &Node| match node.state {
            State::Preparing | State::Leaving => Some(node.since + node_time),
            State::Idle if spare => Some(node.since + scale.idle),
            State::Idle | State::Running(_) => None,
        };
        self.all.iter().filter_map(due).filter(|at| *at > now).min()
    }

    /// The read-only properties that tell about nodes.
    pub fn properties(&self) -> Value {
        let count = |word: &str| self.all.iter().filter(|node| node.state.word() == word).count();
        let resizing = count("preparing") + count("leaving") > 0;
        json!({
            "allocationState": if resizing { "Resizing" } else { "Steady" },
            "allocationStateTransitionTime": stamp(self.changed),
            "currentNodeCount": self.all.len(), "targetNodeCount": self.target,
            "nodeStateCounts": {
                "idleNodeCount": count("idle"), "runningNodeCount": count("running"),
                "preparingNodeCount": count("preparing"), "leavingNodeCount": count("leaving"),
                "unusableNodeCount": 0, "preemptedNodeCount": 0,
            },
        })
    }

    /// The nodes as `listNodes` shows them.
    pub fn list(&self) -> Vec<Value> {
        let one = |node: &Node| {
            let run = if let State::Running(run) = &node.state { json!(run) } else { Value::Null };
            json!({
                "nodeId": format!("tvm-{}", uuid_of(&node.number.to_string())),
                "privateIpAddress": format!("10.0.0.{}", 4 + node.number % 250), "publicIpAddress": null,
                "port": 50000 + node.number % 10000, "nodeState": node.state.word(), "runId": run,
            })
        };
        self.all.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests;
