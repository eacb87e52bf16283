//! Passes: how many, how they ended, how long they took, and how long an object took to become Ready.

use super::times::{OfKind, Times, long, observe, short, times};
use crate::outcome::Outcome;
use azureml_client::Class;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Pass {
    kind: &'static str,
    outcome: Outcome,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Failure {
    kind: &'static str,
    class: &'static str,
}

/// What is counted of passes.
pub struct Passes {
    ended: Family<Pass, Counter>,
    took: Times<OfKind>,
    failures: Family<Failure, Counter>,
    until_ready: Times<OfKind>,
}

impl Passes {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (took, until_ready) = (times(short), times(long));
        let (ended, failures) = (Family::default(), Family::default());
        registry.register("azureml_operator_passes", "Passes by kind and outcome", ended.clone());
        registry.register_with_unit(
            "azureml_operator_pass_duration",
            "Time that a pass took",
            Unit::Seconds,
            took.clone(),
        );
        registry.register(
            "azureml_operator_pass_failures",
            "Passes in which Azure refused or did not answer, by what kind of failure that was",
            failures.clone(),
        );
        registry.register_with_unit(
            "azureml_operator_time_to_ready",
            "Time from an object's creation, or the change of its spec, until it was Ready",
            Unit::Seconds,
            until_ready.clone(),
        );
        Self { ended, took, failures, until_ready }
    }

    /// Passes over a kind are to come: what is measured of them is there before the first, so that the first that fails is a
    /// rise.
    pub fn begin(&self, kind: &'static str) {
        for outcome in Outcome::ALL {
            let _ = self.ended.get_or_create(&Pass { kind, outcome });
        }
        for times in [&self.took, &self.until_ready] {
            let _ = times.get_or_create(&OfKind { kind });
        }
    }

    /// A pass has ended.
    pub fn ended(&self, kind: &'static str, outcome: Outcome, took: Duration) {
        self.ended.get_or_create(&Pass { kind, outcome }).inc();
        observe(&self.took, &OfKind { kind }, took);
    }

    /// Azure refused in a pass, or did not answer.
    pub fn failed(&self, kind: &'static str, class: Class) {
        self.failures.get_or_create(&Failure { kind, class: word(class) }).inc();
    }

    /// An object became Ready for the first time in its generation.
    pub fn ready(&self, kind: &'static str, after: Duration) {
        observe(&self.until_ready, &OfKind { kind }, after);
    }
}

fn word(class: Class) -> &'static str {
    match class {
        Class::Gone => "gone",
        Class::Missing => "missing",
        Class::Forbidden => "forbidden",
        Class::Denied => "denied",
        Class::Quota => "quota",
        Class::Throttled => "throttled",
        Class::Conflict => "conflict",
        Class::Invalid => "invalid",
        Class::Unavailable => "unavailable",
        Class::NotLeading => "not_leading",
    }
}
