//! The controller: every kind's store, queue, watch and passes, put together.

use crate::args::Run;
use crate::clock;
use crate::engine::context::KUBE_REQUESTS;
use crate::engine::events::Recorder;
use crate::engine::list::{counted, gather};
use crate::engine::memory::Memory;
use crate::engine::namespace_labels::NamespaceLabels;
use crate::engine::pass::Engine;
use crate::engine::queue::Queue;
use crate::engine::queue::Wakers;
use crate::engine::shut::Shut;
use crate::engine::sources::Fetching;
use crate::engine::watch::Watch;
use crate::engine::{Context, Kind, Ticks};
use crate::engine::{followed, followed_flux, followed_namespaces};
use crate::kinds::{firings, schedule};
use crate::metrics::{Counted, Metrics};
use crate::stores::{self, Stores, Writers};
use anyhow::Result;
use azureml_access::connect::Shared;
use azureml_access::identity::Identities;
use azureml_access::secrets::Secrets;
use azureml_client::places::Places;
use azureml_config::{Config, std_duration};
use azureml_crds::for_each_kind;
use azureml_observe::looks::Looks;
use futures::future::join_all;
use kube::Client;
use kube::runtime::reflector::store::{Store, Writer};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a controller is put together from.
pub(super) struct Parts<'a> {
    pub(super) kube: Client,
    pub(super) config: &'a Config,
    pub(super) metrics: Arc<Metrics>,
    pub(super) recorder: Recorder,
    pub(super) cluster_id: String,
    pub(super) shared: Shared,
}

/// One kind, watched and not yet at work.
struct Station<K: Kind> {
    engine: Arc<Engine<K>>,
    store: Store<K>,
    queue: Arc<Queue>,
}

impl<K: Kind> Station<K> {
    fn new(ctx: &Arc<Context>, store: Store<K>, queue: Arc<Queue>) -> Self {
        Self {
            engine: Arc::new(Engine {
                ctx: ctx.clone(),
                memory: Memory::default(),
                untold: std::sync::Mutex::default(),
            }),
            store,
            queue,
        }
    }

    fn watch(&self, watch: &Watch, writer: Writer<K>, watches: &mut Watches) {
        let listed = CancellationToken::new();
        watches.listed.push(listed.clone());
        let (engine, watch) = (self.engine.clone(), watch.clone());
        watches.tasks.spawn(engine.watch(watch, writer, listed));
    }

    fn work(self, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
        tasks.spawn(self.engine.work(self.store, self.queue, stop.clone()));
    }
}

/// The watches, and when each has listed what there is.
#[derive(Default)]
struct Watches {
    listed: Vec<CancellationToken>,
    tasks: JoinSet<()>,
}

macro_rules! stations {
    ($($many:ident: $kind:path,)*) => {
        /// Every kind.
        struct Stations {
            $($many: Station<$kind>,)*
        }

        /// The queue of every kind.
        struct Queues {
            $($many: Arc<Queue>,)*
        }

        impl Queues {
            fn open(wakers: &mut Wakers) -> Self {
                Self { $($many: wakers.open(<$kind>::KIND),)* }
            }
        }

        impl Stations {
            fn new(ctx: &Arc<Context>, queues: Queues) -> Self {
                Self { $($many: Station::new(ctx, ctx.stores.$many.clone(), queues.$many),)* }
            }

            fn watch(&self, watch: &Watch, writers: Writers, watches: &mut Watches) {
                $(self.$many.watch(watch, writers.$many, watches);)*
            }

            fn work(self, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
                $(self.$many.work(stop, tasks);)*
            }
        }

        /// How many objects there are of each kind.
        fn counts(stores: &Stores) -> Vec<Counted> {
            vec![$(counted(&stores.$many),)*]
        }

        /// The namespaces that hold objects of any kind.
        fn namespaces(stores: &Stores) -> BTreeSet<String> {
            let mut namespaces = BTreeSet::new();
            $(gather(&stores.$many, &mut namespaces);)*
            namespaces
        }
    };
}
for_each_kind!(stations);

/// All kinds, and what they share.
pub(super) struct Controller {
    stations: Stations,
    watches: Watches,
    watch: Watch,
    ctx: Arc<Context>,
}

impl Controller {
    pub(super) fn new(flags: &Run, parts: Parts<'_>, stop: &CancellationToken) -> Result<Self> {
        let (stores, writers) = stores::new();
        let mut wakers = Wakers::default();
        let queues = Queues::open(&mut wakers);
        let ctx = Arc::new(context(parts, stores)?);
        let stations = Stations::new(&ctx, queues);
        let watch = Watch { namespaces: flags.namespaces.clone(), wakers, stop: stop.clone() };
        let mut watches = Watches::default();
        stations.watch(&watch, writers, &mut watches);
        let listed = CancellationToken::new();
        watches.listed.push(listed.clone());
        watches.tasks.spawn(followed_namespaces::follow(ctx.clone(), watch.clone(), listed));
        Ok(Self { stations, watches, watch, ctx })
    }

    /// Waits until every watch has listed what there is: a pass that knew only half would say what is not so.
    pub(super) async fn filled(&self, stop: &CancellationToken) {
        let all = join_all(self.watches.listed.iter().map(CancellationToken::cancelled));
        tokio::select! {
            _ = all => {}
            () = stop.cancelled() => {}
        }
    }

    /// Everything is compared with Azure once more after this time.
    pub(super) fn compares_after(&self, time: Duration) {
        let _ = self.ctx.settled.set(Instant::now() + time);
    }

    /// Starts the passes of all kinds.
    pub(super) fn work(self, stop: &CancellationToken) -> JoinSet<()> {
        let _ = self.ctx.leads_since.set(Instant::now());
        let mut tasks = self.watches.tasks;
        show(&self.ctx);
        tasks.spawn(firings::follow(self.ctx.clone(), self.ctx.firing_check, stop.clone()));
        tasks.spawn(followed::follow(self.ctx.clone(), self.watch.clone()));
        tasks.spawn(followed_flux::follow(self.ctx, self.watch));
        self.stations.work(stop, &mut tasks);
        tasks
    }
}

fn context(parts: Parts<'_>, stores: Stores) -> Result<Context> {
    let Parts { kube, config, metrics, recorder, cluster_id, shared } = parts;
    let intervals = &config.intervals;
    let [looks_from, looks_to, job_looks_from, job_looks_to] = Context::intervals(intervals);
    Ok(Context {
        kube,
        stores,
        relations: std::sync::Mutex::default(),
        namespace_labels: NamespaceLabels::default(),
        shut: Shut::default(),
        gate: shared.gate.clone(),
        identities: Identities::new(config.reach()?, shared)?,
        looks: Looks::new(std_duration(intervals.list_spacing))
            // A little less than the time between two looks.
            .sharing_jobs_for(std_duration(intervals.firing_check) / 12),
        secrets: Secrets::default(),
        recorder,
        metrics,
        settings: config.settings(cluster_id),
        strangers: Places::new(4, 32),
        fetching: Fetching::new(config)?,
        uploads: Places::new(2, 8),
        large: Places::new(2, 32),
        weights: Arc::default(),
        pace: intervals.pace(),
        looks_from,
        looks_to,
        job_looks_from,
        job_looks_to,
        firing_check: intervals.firing_check,
        kube_requests: Semaphore::new(KUBE_REQUESTS),
        ticks: Ticks::default(),
        settled: OnceLock::new(),
        leads_since: OnceLock::new(),
    })
}

/// Lets the metrics ask for what is not counted but looked at.
fn show(ctx: &Arc<Context>) {
    let shown = ctx.clone();
    ctx.metrics.namespaces.told_by(move || namespaces(&shown.stores));
    let shown = ctx.clone();
    ctx.metrics.objects.counted_by(move || counts(&shown.stores));
    let shown = ctx.clone();
    ctx.metrics.schedules.counted_by(move || schedule::nights(&shown.stores.schedules.state(), clock::now()));
    let shown = ctx.clone();
    ctx.metrics.azure.left_from(Arc::new(move || shown.identities.left()));
}

#[cfg(test)]
mod passes;
#[cfg(test)]
mod tests;
