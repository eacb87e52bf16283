//! What every pass shares: stores, queues, the way to Azure, the recorder. Made once, in `run`.

use super::events::Recorder;
use super::namespace_labels::NamespaceLabels;
use super::relations::{Name, Relations};
use super::shut::Shut;
use super::sources::Fetching;
use super::ticks::Ticks;
use super::weight::Weights;
use crate::metrics::Metrics;
use crate::stores::Stores;
use azureml_access::identity::Identities;
use azureml_access::secrets::Secrets;
use azureml_client::places::Places;
use azureml_client::send::Gate;
use azureml_config::Intervals;
use azureml_observe::looks::Looks;
use azureml_plan::context::Pace;
use azureml_plan::resolve::{Settings, World};
use jiff::SignedDuration;
use kube::Client;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// What every pass shares.
pub struct Context {
    /// Kubernetes.
    pub kube: Client,
    /// The objects of every kind, as the watches have seen them.
    pub stores: Stores,
    /// Which objects name which.
    pub relations: Mutex<Relations>,
    /// The labels of namespaces.
    pub namespace_labels: NamespaceLabels,
    /// The namespaces of which not everything is known.
    pub shut: Shut,
    /// Azure.
    pub identities: Identities,
    /// What was read in Azure.
    pub looks: Looks,
    /// Secrets that were read just now.
    pub secrets: Secrets,
    /// Whether this process may still write.
    pub gate: Gate,
    /// Takes events.
    pub recorder: Recorder,
    /// Takes figures.
    pub metrics: Arc<Metrics>,
    /// What the configuration adds to every resolution.
    pub settings: Settings,
    /// Questions to registries that anybody named.
    pub strangers: Places,
    /// What fetches files from elsewhere.
    pub fetching: Fetching,
    /// How fast failures are tried again.
    pub pace: Pace,
    /// The first look at something that goes on in Azure.
    pub looks_from: Duration,
    /// The longest delay between such looks.
    pub looks_to: Duration,
    /// The first look at a job.
    pub job_looks_from: Duration,
    /// The longest delay between looks at a job.
    pub job_looks_to: Duration,
    /// How long after a moment at which a schedule was to fire Azure is asked for its job.
    pub firing_check: SignedDuration,
    /// Uploads of an object's files at once: these are in memory meanwhile.
    pub uploads: Places,
    /// Passes over large objects at once: what they decide takes several times their memory.
    pub large: Places,
    /// What the objects of each namespace weigh.
    pub weights: Arc<Weights>,
    /// Requests to Kubernetes at once: each needs a connection of its own.
    pub kube_requests: Semaphore,
    /// The moments of comparison.
    pub ticks: Ticks,
    /// When everything is compared once more, since a leader before may have sent what Azure has not carried out yet.
    pub settled: OnceLock<Instant>,
    /// Since when this process leads.
    pub leads_since: OnceLock<Instant>,
}

/// How long Azure may hide what an earlier process began to create (recorded: up to 22 s, schedules).
const HIDDEN: Duration = Duration::from_mins(1);

/// Requests to Kubernetes at once.
pub const KUBE_REQUESTS: usize = 16;

impl Context {
    /// The intervals that passes use.
    #[must_use]
    pub fn intervals(intervals: &Intervals) -> [Duration; 4] {
        [intervals.first_look, intervals.longest_look, intervals.first_job_look, intervals.longest_job_look]
            .map(azureml_config::std_duration)
    }

    /// Whether Azure may yet show something that an earlier process began to create.
    #[must_use]
    pub fn is_inheriting(&self) -> bool {
        let is_young = self.leads_since.get().is_none_or(|since| since.elapsed() < HIDDEN);
        is_young || self.settled.get().is_some_and(|at| *at > Instant::now())
    }

    /// Everything that references may be resolved in.
    #[must_use]
    pub fn world(&self) -> World<'_> {
        World { objects: self, settings: &self.settings }
    }

    /// A permit to write to Kubernetes; none if this process has lost the lease while it waited.
    pub async fn write_permit(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.kube_requests.acquire().await.ok()?;
        (self.gate)().then_some(permit)
    }

    /// Which objects name which.
    pub fn relations(&self) -> MutexGuard<'_, Relations> {
        self.relations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects that name another.
    #[must_use]
    pub fn referrers(&self, object: &Name) -> Vec<Name> {
        self.relations().referrers(object).into_iter().cloned().collect()
    }

    /// The objects that hold another, of the given kinds.
    #[must_use]
    pub fn holders(&self, object: &Name, kinds: &[&str]) -> Vec<Name> {
        let relations = self.relations();
        let holders = relations.holders(object).into_iter().filter(|name| kinds.contains(&name.kind));
        holders.cloned().collect()
    }
}
