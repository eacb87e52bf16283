//! Faults on demand: requests that fail, hang or lose their answer, and long-running work that ends badly or not at all.
//! In: rules, and each request or piece of work as it comes up. Out: what to do instead. It carries nothing out itself.

mod recorded;
mod rule;

use crate::timers::Event;
use std::collections::BTreeSet;
use tokio::sync::watch;

pub use recorded::Recorded;
pub use rule::{Action, Failure, Forced, Rule, RuleError, Spec, When};

/// What a held request is told when its fault is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Nothing yet.
    Held,
    /// Go on as if there had been no fault.
    Go,
    /// End without an answer.
    Drop,
}

/// What happens to one request.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The fault's id.
    pub fault: String,
    /// What to do.
    pub action: Action,
    /// Tells when a held request may go on.
    pub release: watch::Receiver<Release>,
}

/// What happens to a piece of work that is about to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ends as it would have.
    Unchanged,
    /// It ends with this failure.
    Fail(Failure),
    /// It does not end before the fault is taken away.
    Held,
}

struct Fault {
    rule: Rule,
    seen: u64,
    hits: u64,
    held: BTreeSet<u64>,
    parked: Vec<Event>,
    release: watch::Sender<Release>,
}

impl Fault {
    /// Counts a match and says whether the fault acts on it.
    fn act(&mut self) -> bool {
        self.seen += 1;
        let from = self.rule.nth.unwrap_or(1);
        let times = self.rule.times.unwrap_or(if self.rule.nth.is_some() { 1 } else { u64::MAX });
        let acts = self.seen >= from && self.hits < times;
        self.hits += u64::from(acts);
        acts
    }
}

/// A request as faults see it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub url: &'a str,
    /// The application id of the token.
    pub client: Option<&'a str>,
}

/// All faults, in the order they were set.
#[derive(Default)]
pub struct Faults {
    faults: Vec<Fault>,
    made: u64,
}

impl Faults {
    /// Adds a fault and returns its id; one with the same id is replaced.
    pub fn add(&mut self, spec: Spec) -> Result<String, RuleError> {
        self.made += 1;
        let rule = Rule::new(spec, self.made)?;
        let id = rule.id.clone();
        self.faults.retain(|fault| fault.rule.id != id);
        let (release, _) = watch::channel(Release::Held);
        self.faults.push(Fault {
            rule,
            seen: 0,
            hits: 0,
            held: BTreeSet::new(),
            parked: Vec::new(),
            release,
        });
        Ok(id)
    }

    /// Takes a fault away: held requests go on or end, parked work is given back to be carried on.
    pub fn remove(&mut self, id: &str, drop: bool) -> Option<Vec<Event>> {
        let position = self.faults.iter().position(|fault| fault.rule.id == id)?;
        let fault = self.faults.remove(position);
        fault.release.send_replace(if drop { Release::Drop } else { Release::Go });
        Some(fault.parked)
    }

    /// What happens to a request before and after its effect. Every rule that matches counts it.
    pub fn request(&mut self, subject: Subject<'_>) -> (Option<Hit>, Option<Hit>) {
        let (mut before, mut after) = (None, None);
        for fault in self.faults.iter_mut().filter(|fault| fault.rule.matches(subject)) {
            if !fault.act() {
                continue;
            }
            let hit = || Hit {
                fault: fault.rule.id.clone(),
                action: fault.rule.action.clone(),
                release: fault.release.subscribe(),
            };
            match fault.rule.when {
                When::Before => before = before.or_else(|| Some(hit())),
                When::After => after = after.or_else(|| Some(hit())),
                When::Outcome => {}
            }
        }
        (before, after)
    }

    /// What becomes of the work on the thing with this ARM id, which `event` would end.
    pub fn outcome(&mut self, id: &str, event: &Event) -> Outcome {
        for fault in self.faults.iter_mut().filter(|fault| fault.rule.concerns(id)) {
            if !fault.act() {
                continue;
            }
            return match &fault.rule.action {
                Action::Fail(failure) => Outcome::Fail(failure.clone()),
                Action::Hold | Action::Timeout | Action::Reset | Action::Status(_) | Action::Recorded(_) => {
                    fault.parked.push(event.clone());
                    Outcome::Held
                }
            };
        }
        Outcome::Unchanged
    }

    /// Notes that a request is being held, or no longer.
    pub fn hold(&mut self, id: &str, seq: u64, held: bool) {
        if let Some(fault) = self.faults.iter_mut().find(|fault| fault.rule.id == id) {
            if held {
                fault.held.insert(seq)
            } else {
                fault.held.remove(&seq)
            };
        }
    }

    /// The faults as the controls show them.
    pub fn json(&self) -> serde_json::Value {
        let show = |fault: &Fault| {
            let mut shown = fault.rule.json();
            shown["seen"] = fault.seen.into();
            shown["hits"] = fault.hits.into();
            shown["held"] = fault.held.iter().copied().collect::<Vec<_>>().into();
            shown["parked"] = fault.parked.len().into();
            shown
        };
        self.faults.iter().map(show).collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(spec: serde_json::Value) -> Faults {
        let mut faults = Faults::default();
        faults.add(serde_json::from_value(spec).unwrap()).unwrap();
        faults
    }

    fn put(url: &str) -> Subject<'_> {
        Subject { method: "PUT", url, client: Some("app") }
    }

    #[test]
    fn the_nth_match_is_hit_once_and_no_other() {
        let mut faults =
            faults(json!({"match": {"method": "PUT", "path": "/computes/", "nth": 2}, "do": "reset"}));
        let hits: Vec<bool> = (0..4).map(|_| faults.request(put("/x/computes/a")).0.is_some()).collect();
        assert_eq!(hits, [false, true, false, false]);
        assert!(faults.request(put("/x/jobs/a")).0.is_none());
    }

    #[test]
    fn a_fault_for_another_client_does_not_count() {
        let mut faults =
            faults(json!({"match": {"client": "other"}, "when": "after", "do": {"status": 503}, "times": 1}));
        let (before, after) = faults.request(put("/x"));
        assert!(before.is_none() && after.is_none());
        assert_eq!(faults.json()[0]["seen"], 0);
    }

    #[test]
    fn held_work_is_given_back_when_its_fault_is_removed() {
        let mut faults =
            faults(json!({"id": "h", "match": {"path": "/jobs/"}, "when": "outcome", "do": "hold"}));
        let event = Event::Operation("o".into());
        assert_eq!(faults.outcome("/a/jobs/b", &event), Outcome::Held);
        assert_eq!(faults.outcome("/a/computes/b", &event), Outcome::Unchanged);
        assert_eq!(faults.remove("h", false), Some(vec![event]));
        assert_eq!(faults.remove("h", false), None);
    }

    #[test]
    fn a_fault_that_cannot_act_is_refused_with_the_remedy() {
        let mut faults = Faults::default();
        let spec = serde_json::from_value(json!({"match": {"path": "("}, "do": "reset"})).unwrap();
        assert!(faults.add(spec).unwrap_err().to_string().contains("regular expression"));
        let spec = serde_json::from_value(json!({"match": {}, "when": "outcome", "do": "reset"})).unwrap();
        assert!(faults.add(spec).unwrap_err().to_string().contains("hold"));
    }
}
