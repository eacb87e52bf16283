//! The life of the process: its build, whether it leads, its lease, its watches, its events.

use super::times::OfKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Build {
    version: &'static str,
    profile: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    result: &'static str,
}

/// What is counted of the process.
pub struct Life {
    leader: Gauge,
    renewals: Family<Of, Counter>,
    events_lost: Counter,
    lists: Family<OfKind, Counter>,
    watch_errors: Family<OfKind, Counter>,
    unreadable: Family<OfKind, Counter>,
}

impl Life {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let life = Self {
            leader: Gauge::default(),
            renewals: Family::default(),
            events_lost: Counter::default(),
            lists: Family::default(),
            watch_errors: Family::default(),
            unreadable: Family::default(),
        };
        for result in ["success", "failure"] {
            let _ = life.renewals.get_or_create(&Of { result });
        }
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        let build = Info::new(Build { version: env!("CARGO_PKG_VERSION"), profile });
        registry.register("azureml_operator_build", "The build of this program", build);
        registry.register("azureml_operator_leader", "1 while this process leads", life.leader.clone());
        let help = "Times that the lease was to be taken or renewed, by result";
        registry.register("azureml_operator_lease_renewals", help, life.renewals.clone());
        let help = "Events that were not written";
        registry.register("azureml_operator_events_lost", help, life.events_lost.clone());
        let help = "Times that a watch began with a list of all objects";
        registry.register("azureml_operator_watch_lists", help, life.lists.clone());
        let help = "Errors of watches, each followed by another try";
        registry.register("azureml_operator_watch_errors", help, life.watch_errors.clone());
        let help = "Times that an object was seen that cannot be read";
        registry.register("azureml_operator_unreadable_objects", help, life.unreadable.clone());
        life
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// The lease was taken or renewed, or should have been.
    pub fn renewed(&self, is_renewed: bool) {
        let result = if is_renewed { "success" } else { "failure" };
        self.renewals.get_or_create(&Of { result }).inc();
    }

    /// An event was not written.
    pub fn event_lost(&self) {
        self.events_lost.inc();
    }

    /// A watch is at its beginning: what alerts count is there before it counts.
    pub fn watches(&self, kind: &'static str) {
        for family in [&self.lists, &self.watch_errors, &self.unreadable] {
            let _ = family.get_or_create(&OfKind { kind });
        }
    }

    /// A watch began with a list.
    pub fn listed(&self, kind: &'static str) {
        self.lists.get_or_create(&OfKind { kind }).inc();
    }

    /// A watch failed.
    pub fn watch_failed(&self, kind: &'static str) {
        self.watch_errors.get_or_create(&OfKind { kind }).inc();
    }

    /// An object cannot be read.
    pub fn unreadable(&self, kind: &'static str) {
        self.unreadable.get_or_create(&OfKind { kind }).inc();
    }
}
