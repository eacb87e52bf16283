//! The lock around the world, and those who wait for it: the clockwork that moves it on, and watchers of the log.
//! In: closures over the world. Out: their result; afterwards everybody who waits looks again.

use crate::execute::{self, Job, Running};
use crate::faults::Failure;
use crate::ml;
use crate::options::Times;
use crate::world::World;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What all tasks of one simulator share.
pub struct Shared {
    world: Mutex<World>,
    changes: watch::Sender<u64>,
    running: Running,
    /// A delay of every answer, by method.
    pub latency: BTreeMap<String, Duration>,
    /// How long answers take that it does not name.
    pub times: Times,
    /// Ends every task of the simulator.
    pub stop: CancellationToken,
}

impl Shared {
    /// Puts a world behind its lock; processes of steps run on the current runtime.
    pub fn new(world: World, latency: BTreeMap<String, Duration>) -> Arc<Self> {
        let stop = CancellationToken::new();
        let (running, times) = (Running::new(Handle::current()), world.settings.times);
        Arc::new(Self {
            world: Mutex::new(world),
            changes: watch::channel(0).0,
            running,
            latency,
            times,
            stop,
        })
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets what is due happen, then runs `f`, then wakes everybody who waits.
    pub fn with<T>(self: &Arc<Self>, f: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let (result, effects) = {
            let mut world = self.lock();
            let now = world.clock.now();
            world.settle(now);
            let result = f(&mut world, now);
            (result, std::mem::take(&mut world.outbox))
        };
        for effect in effects {
            let shared = Arc::clone(self);
            execute::carry_out(&self.running, effect, move |job, result| shared.step_ended(job, result));
        }
        self.changes.send_modify(|changes| *changes += 1);
        result
    }

    /// Ends every task of the simulator, and every process of a step.
    pub fn end(&self) {
        self.stop.cancel();
        self.running.kill_all();
    }

    /// The process of a step has ended.
    fn step_ended(self: &Arc<Self>, job: &Job, result: Result<(), Failure>) {
        self.with(|world, now| ml::run_executed(world, &job.workspace, &job.run, result, now));
    }

    /// Looks at the world without changing it or waking anybody.
    pub fn look<T>(&self, f: impl FnOnce(&World) -> T) -> T {
        f(&self.lock())
    }

    /// Waits until `f` finds something, looking again after every change; `None` after `limit`.
    pub async fn wait<T>(&self, limit: Duration, mut f: impl FnMut(&World) -> Option<T>) -> Option<T> {
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                if let Some(found) = self.look(&mut f) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::select! {
            found = found => found,
            () = tokio::time::sleep(limit) => None,
            () = self.stop.cancelled() => None,
        }
    }

    /// Lets things happen at their time, for as long as the simulator runs.
    pub async fn clockwork(self: Arc<Self>) {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let due = self.look(|world| {
                let now = world.clock.now();
                world.timers.next().map(|at| at.duration_since(now))
            });
            if due.is_some_and(|due| !due.is_positive()) {
                self.with(|_, _| ());
                continue;
            }
            let nap = due.and_then(|due| Duration::try_from(due).ok()).unwrap_or(Duration::from_hours(1));
            tokio::select! {
                () = tokio::time::sleep(nap) => {}
                _ = changes.changed() => {}
                () = self.stop.cancelled() => return,
            }
        }
    }
}
