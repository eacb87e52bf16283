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
use kube::ResourceExt as _;
use std::collections::BTreeMap;
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

/// How the runs of all schedules are, by namespace. One whose schedules say nothing is there too: an alert that fires sees it end.
#[must_use]
pub fn nights(schedules: &[Arc<MLSchedule>], now: Timestamp) -> BTreeMap<String, Nights> {
    let mut all = BTreeMap::<String, Nights>::new();
    for schedule in schedules {
        let of = all.entry(schedule.namespace().unwrap_or_default()).or_default();
        let Some(health) = health(schedule, now) else { continue };
        *of = of.and(Nights {
            failed: i64::from(health.is_failed),
            overdue: i64::from(health.is_overdue),
            slow: i64::from(health.is_slow),
            since_success: health.since_success.map(|time| time.as_secs()),
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_namespace_has_the_nights_of_its_own_schedules() {
        let schedule = |namespace: &str, name: &str, phase: &str| -> Arc<MLSchedule> {
            let run = json!({"jobName": "j", "firedAt": "2026-01-09T06:00:00Z", "phase": phase, "durationSeconds": 60});
            let object = json!({
                "apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule",
                "metadata": {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"},
                "spec": {"pipelineRef": {"name": "p"}, "cron": "0 6 * * *", "suspend": name == "paused"},
                "status": {"lastSuccessAt": "2026-01-09T06:00:00Z", "runs": [run]},
            });
            serde_json::from_value(object).map(Arc::new).unwrap()
        };
        let schedules = [
            schedule("team-a", "one", "Failed"),
            schedule("team-a", "two", "Failed"),
            schedule("team-b", "one", "Succeeded"),
            schedule("team-c", "paused", "Failed"),
        ];
        let all = nights(&schedules, "2026-01-09T07:00:00Z".parse().unwrap());
        let of = |failed, since_success| Nights { failed, overdue: 0, slow: 0, since_success };
        let wanted = [("team-a", of(2, Some(3600))), ("team-b", of(0, Some(3600))), ("team-c", of(0, None))];
        assert_eq!(all, wanted.map(|(namespace, nights)| (namespace.to_owned(), nights)).into());
    }
}
