//! What would be sent for each object, and what is said of it.
//!
//! In: what passes say, requests. Out: a report, as values and as JSON whose form is stable. Pure.

use super::request::{Changed, Does, Request};
use super::told::Told;
use azureml_plan::action::State;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The form of the JSON. Another form gets another name.
const FORM: &str = "azureml.dev/plan/v1";

/// An object and what was planned for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// What the last pass says.
    pub told: Told,
    /// What would be sent, in this order.
    pub requests: Vec<Request>,
}

impl Planned {
    /// Whether it cannot be compared, or only a change of something would help it.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        !self.told.is_compared || self.told.state == State::Stalled
    }
}

/// Everything that was planned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The objects, in the order in which they were first looked at.
    pub objects: Vec<Planned>,
    /// Whether the last round had nothing to add: else more would be sent than is here.
    pub is_at_rest: bool,
}

/// What tells whether a round brought something: not the words, in which moments stand.
type Outline = Vec<(usize, State, String)>;

impl Report {
    /// Adds what a pass says, and what it would have sent.
    pub fn add(&mut self, kind: &str, (namespace, name): (&str, &str), told: Told, requests: Vec<Request>) {
        let known = self
            .objects
            .iter_mut()
            .find(|one| one.kind == kind && one.name == name && one.namespace == namespace);
        if let Some(known) = known {
            known.told = told;
            known.requests.extend(requests);
            return;
        }
        let (kind, namespace, name) = (kind.to_owned(), namespace.to_owned(), name.to_owned());
        self.objects.push(Planned { kind, namespace, name, told, requests });
    }

    /// How many requests would be sent.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.objects.iter().map(|one| one.requests.len()).sum()
    }

    /// What is known so far, without words.
    #[must_use]
    pub fn outline(&self) -> Outline {
        let line = |one: &Planned| (one.requests.len(), one.told.state, one.told.reason.as_str().to_owned());
        self.objects.iter().map(line).collect()
    }

    /// Whether something would be sent for an object.
    #[must_use]
    pub fn sends(&self, kind: &str, (namespace, name): (&str, &str)) -> bool {
        let is_it = |one: &&Planned| one.kind == kind && one.namespace == namespace && one.name == name;
        self.objects.iter().find(is_it).is_some_and(|one| !one.requests.is_empty())
    }

    /// How many requests do what.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Does, usize> {
        let mut counts = BTreeMap::new();
        for request in self.objects.iter().flat_map(|one| &one.requests) {
            *counts.entry(request.does()).or_default() += 1;
        }
        counts
    }

    /// How many objects cannot be compared, or are stuck.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.objects.iter().filter(|one| one.is_failed()).count()
    }

    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.objects.iter().all(|one| one.requests.is_empty() && !one.told.is_unsettled())
    }

    /// The report as JSON.
    ///
    /// # Errors
    /// Never: it has no keys that are no text.
    pub fn json(&self) -> serde_json::Result<String> {
        let objects = self.objects.iter().map(ObjectOut::of).collect();
        let mut text =
            serde_json::to_string_pretty(&ReportOut { form: FORM, counts: self.counts(), objects })?;
        text.push('\n');
        Ok(text)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportOut<'a> {
    #[serde(rename = "apiVersion")]
    form: &'static str,
    counts: BTreeMap<Does, usize>,
    objects: Vec<ObjectOut<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectOut<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    is_failed: bool,
    state: State,
    held_back: usize,
    reason: &'a str,
    message: &'a str,
    changes: Vec<ChangeOut<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeOut<'a> {
    does: Does,
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    body: &'a Value,
    changed: Vec<Changed>,
    cost: Vec<String>,
}

impl<'a> ObjectOut<'a> {
    fn of(planned: &'a Planned) -> Self {
        let change = |request: &'a Request| ChangeOut {
            does: request.does(),
            method: &request.method,
            path: &request.path,
            query: request.query.as_deref(),
            body: &request.body,
            changed: request.changed(),
            cost: request.cost(),
        };
        Self {
            kind: &planned.kind,
            namespace: &planned.namespace,
            name: &planned.name,
            is_failed: planned.is_failed(),
            state: planned.told.state,
            held_back: planned.told.held,
            reason: planned.told.reason.as_str(),
            message: &planned.told.message,
            changes: planned.requests.iter().map(change).collect(),
        }
    }
}
