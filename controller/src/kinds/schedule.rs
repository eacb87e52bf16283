//! MLSchedule in the loop.

use super::{in_workspace, named};
use crate::engine::relations::Name;
use crate::engine::{Context, Kind};
use crate::metrics::{Done, Ends, Nights};
use azureml_crds::ml_run::Phase;
use azureml_crds::ml_schedule::MLScheduleStatus;
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLPipeline, MLSchedule};
use azureml_plan::schedule::{ended, health};
use jiff::Timestamp;
use std::hash::Hash;
use std::sync::Arc;

impl Kind for MLSchedule {
    const KIND: &'static str = "MLSchedule";

    const WRITES_ADDRESS_FIRST: bool = true;

    /// Of its MLRuns.
    const CARES: bool = true;

    fn refers_to(&self) -> Vec<Name> {
        let of = self.status.as_ref().and_then(|status| status.workspace_ref.as_ref());
        let workspace = of.map(|of| in_workspace(self, of));
        [named::<_, MLPipeline>(self, &self.spec.pipeline_ref.name)].into_iter().chain(workspace).collect()
    }

    fn offer(&self) -> impl Hash {}

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy == Some(DeletionPolicy::Retain)
    }
    fn kept_by(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }

    fn done(&self, after: &MLScheduleStatus) -> Option<Done> {
        let before = self.status.as_ref().map_or(&[][..], |status| &status.runs);
        let mut ends = Ends::default();
        for run in ended(before, &after.runs) {
            match run.phase {
                Phase::Succeeded => ends.succeeded += 1,
                Phase::Canceled => ends.canceled += 1,
                Phase::Pending
                | Phase::Queued
                | Phase::Preparing
                | Phase::Running
                | Phase::Finalizing
                | Phase::Failed => ends.failed += 1,
            }
        }
        (ends != Ends::default()).then_some(Done::Scheduled(ends))
    }
}

/// How the runs of all schedules are.
#[must_use]
pub fn nights(schedules: &[Arc<MLSchedule>], now: Timestamp) -> Nights {
    let mut nights = Nights::default();
    for health in schedules.iter().filter_map(|schedule| health(schedule, now)) {
        nights.failed += i64::from(health.is_failed);
        nights.overdue += i64::from(health.is_overdue);
        nights.slow += i64::from(health.is_slow);
        nights.since_success = nights.since_success.max(health.since_success.map(|time| time.as_secs()));
    }
    nights
}
