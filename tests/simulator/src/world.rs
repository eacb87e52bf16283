//! Everything the simulated Azure knows, and how time moves it on. Plain data behind one lock; no sockets, no waiting.
//! In: requests and the time. Out: answers, and effects for others to carry out. Which path belongs to which service
//! is decided here and nowhere else.

use crate::acr::{Images, Registry};
use crate::arm::operations::{self, Operation, Work};
use crate::arm::rights::Rights;
use crate::arm::throttle::Throttle;
use crate::arm::{self, Call};
use crate::blob::{self, Blobs};
use crate::clock::Clock;
use crate::contract::Contract;
use crate::databricks::{self, Databricks};
use crate::entra::{self, Keys};
use crate::execute::Effect;
use crate::facts;
use crate::faults::{Faults, Outcome};
use crate::ids::Ids;
use crate::log::Log;
use crate::ml::Workspace;
use crate::options::{StorageAccess, WorkspaceSpec};
pub use crate::settings::Settings;
use crate::timers::{Event, Timers};
use crate::wire::{Answer, Request};
use crate::{acr, ml, vault};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How one request, and its answer, break the published definitions.
#[derive(Debug, Default)]
pub struct Noted {
    /// The request.
    pub request: Vec<String>,
    /// The answer, a fault of the simulator's own.
    pub answer: Vec<String>,
}

/// The simulated Azure.
pub struct World {
    /// What does not change.
    pub settings: Settings,
    /// The published definitions.
    pub contract: &'static Contract,
    /// What breaks them in the request that is being answered, and in its answer.
    pub noted: Noted,
    /// What time it is.
    pub clock: Clock,
    /// The key that tokens and signatures are made with.
    pub keys: Keys,
    /// New identifiers.
    pub ids: Ids,
    /// The request log.
    pub log: Log,
    /// Faults on demand.
    pub faults: Faults,
    /// Request limits.
    pub throttle: Throttle,
    /// What happens by itself.
    pub timers: Timers,
    /// Long-running operations by id.
    pub operations: HashMap<String, Operation>,
    /// Workspaces by lower-cased ARM id.
    pub workspaces: BTreeMap<String, Workspace>,
    /// Registries by lower-cased ARM id.
    pub registries: BTreeMap<String, Registry>,
    /// Images of all registries.
    pub images: Images,
    /// Blobs of all storage accounts.
    pub blobs: Blobs,
    /// The runs of Databricks.
    pub databricks: Databricks,
    /// Secrets by vault and name.
    pub secrets: BTreeMap<(String, String), String>,
    /// The role assignments.
    pub rights: Rights,
    /// What is to be done outside of the simulated Azure.
    pub outbox: Vec<Effect>,
    subscriptions: BTreeSet<String>,
}

impl World {
    /// An Azure without workspaces.
    pub fn new(settings: Settings, clock: Clock, keys: Keys, contract: &'static Contract) -> Self {
        let subscriptions = BTreeSet::from([settings.subscription.clone()]);
        Self {
            contract,
            noted: Noted::default(),
            clock,
            ids: Ids::new(keys.sign("identifiers")),
            keys,
            log: Log::default(),
            faults: Faults::default(),
            throttle: Throttle::default(),
            timers: Timers::default(),
            operations: HashMap::new(),
            workspaces: BTreeMap::new(),
            registries: BTreeMap::new(),
            images: Images::default(),
            blobs: Blobs::new(settings.dir.join("blob")),
            databricks: Databricks::default(),
            secrets: BTreeMap::new(),
            rights: Rights::default(),
            outbox: Vec::new(),
            subscriptions,
            settings,
        }
    }

    /// Adds a workspace with its storage account and registry, and returns its key.
    pub fn add_workspace(&mut self, spec: &WorkspaceSpec, now: Timestamp) -> String {
        let workspace = Workspace::new(&self.settings, spec, now);
        if !self.subscriptions.iter().any(|known| known.eq_ignore_ascii_case(&workspace.subscription)) {
            self.subscriptions.insert(workspace.subscription.clone());
        }
        let mode = spec.registry_mode.unwrap_or(self.settings.registry_mode);
        let registry = Registry::new(&workspace, mode, spec.registry_restricted, now);
        self.registries.entry(registry.key()).or_insert(registry);
        let key = workspace.key();
        if workspace.storage_access == StorageAccess::Identity {
            self.blobs.refuse_keys(&workspace.storage);
        }
        for store in workspace.datastores.values() {
            self.blobs.create_container(&store.account, &store.container);
        }
        self.workspaces.entry(key.clone()).or_insert(workspace);
        key
    }

    /// The known subscriptions.
    pub fn subscriptions(&self) -> Vec<&str> {
        self.subscriptions.iter().map(String::as_str).collect()
    }

    /// Whether a subscription is known.
    pub fn has_subscription(&self, id: &str) -> bool {
        self.subscriptions.iter().any(|known| known.eq_ignore_ascii_case(id))
    }

    /// Lets everything happen that is due at `now`, in its order and at its own time.
    pub fn settle(&mut self, now: Timestamp) {
        while let Some((at, event)) = self.timers.pop(now) {
            match &event {
                Event::Operation(id) => self.end_operation(at, &id.clone(), &event),
                Event::Nodes(workspace, compute) => ml::nodes_due(self, workspace, compute, at),
                Event::Run(workspace, run) => ml::run_due(self, workspace, run, at),
                Event::Timeout(workspace, run) => ml::run_timed_out(self, workspace, run, at),
                Event::Fire(workspace, schedule, generation) => {
                    ml::fire(self, workspace, schedule, *generation, at);
                }
                Event::Build(registry, run) => acr::build_due(self, registry, run, at),
                Event::Databricks(run) => databricks::due(self, *run, at),
                Event::DatabricksTimeout(run) => databricks::timed_out(self, *run, at),
            }
        }
    }

    /// Begins an operation that ends by itself, and returns its id.
    pub fn begin(&mut self, resource: String, work: Work, now: Timestamp) -> String {
        let random = self.ids.uuid();
        let workspace = self.workspaces.get(&owner(&resource)).map(|workspace| workspace.guid.clone());
        let id = operations::id(work.service(), &workspace.unwrap_or_default(), &resource, &random);
        let takes = self.settings.times.of(&work, &random);
        let region = self.region_of(&resource);
        self.operations.insert(id.clone(), Operation::new(id.clone(), resource, work, region, now));
        self.timers.set(now + takes, Event::Operation(id.clone()));
        id
    }

    /// Begins the operation of a task run, which ends with its run, and returns where it is kept.
    pub fn begin_build(&mut self, resource: String, run: &str, now: Timestamp) -> String {
        let (key, region) = (operations::key(&resource, run), self.region_of(&resource));
        let began = Operation::new(run.to_owned(), resource, Work::BuildEnded, region, now);
        self.operations.insert(key.clone(), began);
        key
    }

    fn end_operation(&mut self, at: Timestamp, id: &str, event: &Event) {
        let Some((resource, work)) = self.operations.get(id).map(|op| (op.resource.clone(), op.work.clone()))
        else {
            return;
        };
        let wanted = match self.faults.outcome(&resource, event) {
            Outcome::Held => return,
            Outcome::Fail(failure) => Err(failure),
            Outcome::Unchanged => Ok(()),
        };
        let outcome = ml::finish(self, &work, wanted, at);
        if let Some(operation) = self.operations.get_mut(id) {
            operation.end(at, outcome);
        }
    }

    /// Adds what leads a client to an operation.
    pub fn follow(&self, answer: Answer, id: &str, call: &Call<'_>) -> Answer {
        let Some(operation) = self.operations.get(id) else { return answer };
        operation.led_to(answer, &self.settings.base, call.api_version())
    }

    /// The region of the workspace that a resource is, or is below; or of the registry.
    fn region_of(&self, resource: &str) -> String {
        let key = owner(resource);
        let region = self.workspaces.get(&key).map(|workspace| &workspace.region);
        region
            .or_else(|| self.registries.get(&key).map(|registry| &registry.region))
            .unwrap_or(&self.settings.region)
            .clone()
    }

    /// Answers one request at `now`; builds for debugging note how the answer is not like the recorded ones.
    pub fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        let answer = self.route(request, now);
        if cfg!(debug_assertions) {
            self.noted.answer.extend(facts::check(request, &answer));
        }
        answer
    }

    fn route(&mut self, request: &Request, now: Timestamp) -> Answer {
        if databricks::is_for(request) {
            return databricks::answer(self, request, now);
        }
        if vault::is_for(request) {
            return vault::answer(self, request);
        }
        if request.host.contains(".blob.") {
            return blob::answer(self, request, now);
        }
        let word =
            |at: usize| request.path.get(at).map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
        match (word(0).as_str(), word(1).as_str()) {
            ("subscriptions" | "tenants" | "metadata", _) => arm::answer(self, request, now),
            ("v2" | "oauth2" | "token", _) => acr::data_plane(self, request),
            ("blob", _) => blob::answer(self, request, now),
            ("discovery" | "history" | "mferp" | "inference", _) => ml::data_plane(self, request, now),
            (_, "oauth2" | "v2.0" | "discovery") | ("msi", _) => entra::answer(self, request),
            (_, _) => Answer::empty(http::StatusCode::NOT_FOUND),
        }
    }
}

/// The key of the workspace, or of the registry, that a resource is, or is below: nine parts, the first of them empty.
fn owner(resource: &str) -> String {
    resource.split('/').take(9).collect::<Vec<_>>().join("/").to_ascii_lowercase()
}
