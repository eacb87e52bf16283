//! What was done in Azure: builds, runs, firings of schedules, each counted once, when its end is written to `status`.
//!
//! Counts are by namespace, so that an alert names the team; times are not, since a histogram has fifteen series.

use super::namespaces::{Namespaces, Shown};
use super::times::{Times, long, observe, times};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct In {
    object_namespace: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Spent {
    part: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Every {}

/// Something in Azure that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The build of an image.
    Build {
        /// How: a word of [`BUILDS`].
        result: &'static str,
        /// How long it took, where Azure says so.
        took: Option<Duration>,
    },
    /// A run.
    Run {
        /// How: a word of [`RUNS`].
        result: &'static str,
        /// How long it took, where Azure says so.
        took: Option<Duration>,
        /// Where its time went, in the order of `PARTS`.
        parts: [Option<Duration>; 3],
    },
    /// Runs of a schedule: how many ended in each way.
    Scheduled(Ends),
}

/// How many runs of a schedule ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// As they should.
    pub succeeded: u64,
    /// With a failure.
    pub failed: u64,
    /// Cancelled in Azure.
    pub canceled: u64,
}

/// What became of a moment at which a schedule was to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fired {
    /// Azure made a job, so long after.
    After(Duration),
    /// Azure made none within the time that is waited.
    Missed,
    /// It cannot be known.
    Unknown,
}

/// How builds end.
pub const BUILDS: [&str; 5] = ["succeeded", "failed", "canceled", "error", "timeout"];
/// What the time of a run is spent with.
pub const PARTS: [&str; 3] = ["queued", "preparing", "running"];
/// How runs end.
pub const RUNS: [&str; 3] = ["succeeded", "failed", "canceled"];

/// What becomes of firings.
const FIRINGS: [&str; 3] = ["fired", "missed", "unknown"];

type Count = Family<In, Counter>;

/// What is counted of work in Azure.
pub struct Work {
    namespaces: Arc<Namespaces>,
    builds: Count,
    build_times: Times<Of>,
    runs: Count,
    run_times: Times<Of>,
    parts: Times<Spent>,
    scheduled: Count,
    firings: Count,
    lags: Times<Every>,
}

impl Work {
    pub(super) fn new(registry: &mut Registry, namespaces: Arc<Namespaces>) -> Self {
        let work = Self {
            namespaces,
            builds: Count::default(),
            build_times: begun(&BUILDS),
            runs: Count::default(),
            run_times: begun(&RUNS),
            parts: spent(),
            scheduled: Count::default(),
            firings: Count::default(),
            lags: times(long),
        };
        let _ = work.lags.get_or_create(&Every {});
        let help = "Builds of images that ended, by namespace and result";
        registry.register("azureml_operator_builds", help, work.builds.clone());
        let help = "Time that a build of an image took in Azure";
        registry.register_with_unit(
            "azureml_operator_build_duration",
            help,
            Unit::Seconds,
            work.build_times.clone(),
        );
        let help = "Runs that ended, by namespace and result";
        registry.register("azureml_operator_runs", help, work.runs.clone());
        let help = "Time that a run took in Azure";
        registry.register_with_unit(
            "azureml_operator_run_duration",
            help,
            Unit::Seconds,
            work.run_times.clone(),
        );
        let help = "Time of a run in which its steps waited for nodes, were prepared, or ran";
        registry.register_with_unit("azureml_operator_run_time", help, Unit::Seconds, work.parts.clone());
        let help = "Runs of schedules that ended, by namespace and result";
        registry.register("azureml_operator_scheduled_runs", help, work.scheduled.clone());
        let help = "Moments at which a schedule was to fire, by namespace and what Azure made of them";
        registry.register("azureml_operator_schedule_firings", help, work.firings.clone());
        let help = "Time from the moment at which a schedule was to fire until Azure made the job";
        registry.register_with_unit("azureml_operator_schedule_lag", help, Unit::Seconds, work.lags.clone());
        work
    }

    /// Drops the series of namespaces whose last object is gone. The others have each of theirs, at zero before the first end: the
    /// first failure is a rise, and no alert sees one from nothing.
    pub(super) fn show(&self, seen: &Shown) {
        let all: [(&Count, &[&'static str]); 4] = [
            (&self.builds, &BUILDS),
            (&self.runs, &RUNS),
            (&self.scheduled, &RUNS),
            (&self.firings, &FIRINGS),
        ];
        for (count, results) in all {
            for &result in results {
                let of = |namespace: &String| In { object_namespace: namespace.clone(), result };
                for namespace in &seen.gone {
                    count.remove(&of(namespace));
                }
                for namespace in &seen.shown {
                    let _ = count.get_or_create(&of(namespace));
                }
            }
        }
    }

    /// Something of a namespace has ended.
    pub fn done(&self, namespace: &str, done: Done) {
        let object_namespace = self.namespaces.value(namespace);
        let (count, times, result, took) = match done {
            Done::Build { result, took } => (&self.builds, &self.build_times, result, took),
            Done::Run { result, took, parts } => {
                for (part, spent) in PARTS.into_iter().zip(parts) {
                    if let Some(spent) = spent {
                        observe(&self.parts, &Spent { part }, spent);
                    }
                }
                (&self.runs, &self.run_times, result, took)
            }
            Done::Scheduled(Ends { succeeded, failed, canceled }) => {
                for (result, count) in RUNS.into_iter().zip([succeeded, failed, canceled]) {
                    let labels = In { object_namespace: object_namespace.clone(), result };
                    self.scheduled.get_or_create(&labels).inc_by(count);
                }
                return;
            }
        };
        count.get_or_create(&In { object_namespace, result }).inc();
        if let Some(took) = took {
            observe(times, &Of { result }, took);
        }
    }

    /// A schedule of a namespace was to fire.
    pub fn fired(&self, namespace: &str, fired: Fired) {
        let result = match fired {
            Fired::After(lag) => {
                observe(&self.lags, &Every {}, lag);
                "fired"
            }
            Fired::Missed => "missed",
            Fired::Unknown => "unknown",
        };
        let object_namespace = self.namespaces.value(namespace);
        self.firings.get_or_create(&In { object_namespace, result }).inc();
    }
}

/// Times that are there before the first, as the counts.
fn begun(results: &[&'static str]) -> Times<Of> {
    let family = times(long);
    for result in results {
        let _ = family.get_or_create(&Of { result });
    }
    family
}

/// The same for the parts of a run.
fn spent() -> Times<Spent> {
    let family = times(long);
    for part in PARTS {
        let _ = family.get_or_create(&Spent { part });
    }
    family
}
