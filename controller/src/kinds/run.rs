//! MLRun in the loop.

use super::{in_workspace, named};
use crate::engine::kind::Rest;
use crate::engine::relations::Name;
use crate::engine::{Context, Kind};
use crate::metrics::Done;
use azureml_crds::ml_run::{MLRunStatus, Phase};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLPipeline, MLRun, MLSchedule};
use azureml_plan::run::{is_expired, is_finished, is_restored, kept_until, mark, was_seen};
use azureml_plan::schedule::owner_of;
use jiff::Timestamp;
use std::hash::Hash;
use std::time::Duration;

impl Kind for MLRun {
    const KIND: &'static str = "MLRun";

    fn is_unseen(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.common.azure_id.is_some()) && !was_seen(self)
    }

    fn mark(&self) -> Option<(&'static str, String)> {
        Some(mark(self))
    }

    fn refers_to(&self) -> Vec<Name> {
        if is_finished(self) {
            return Vec::new();
        }
        let of = self.status.as_ref().and_then(|status| status.workspace_ref.as_ref());
        let workspace = of.map(|of| in_workspace(self, of));
        // The schedule that made it waits for its end, where it lets one run at a time.
        let schedule =
            owner_of(&self.metadata, MLSchedule::KIND).map(|(name, _)| named::<_, MLSchedule>(self, name));
        let pipeline = named::<_, MLPipeline>(self, &self.spec.pipeline_ref.name);
        [pipeline].into_iter().chain(workspace).chain(schedule).collect()
    }

    fn offer(&self) -> impl Hash {}

    /// Its schedule tells how it is.
    fn tells(&self) -> impl Hash {
        let status = self.status.as_ref();
        status.map(|status| (serde_json::to_string(&status.phase).ok(), status.job_name.clone()))
    }

    fn holds(&self) -> bool {
        !is_finished(self)
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy == Some(DeletionPolicy::Retain) || is_finished(self)
    }

    fn kept_by(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }

    fn rest(&self, now: Timestamp) -> Option<Rest> {
        if !is_finished(self) {
            return None;
        }
        Some(if is_expired(self, now) { Rest::Over } else { Rest::Until(kept_until(self)) })
    }

    fn pace(ctx: &Context) -> (Duration, Duration) {
        (ctx.job_looks_from, ctx.job_looks_to)
    }

    fn done(&self, after: &MLRunStatus) -> Option<Done> {
        // What ended before it was restored is told already.
        let is_told = is_finished(self) || is_restored(self) && !was_seen(self);
        let phase = after.phase.filter(|_| !is_told)?;
        let result = match phase {
            Phase::Succeeded => "succeeded",
            Phase::Failed => "failed",
            Phase::Canceled => "canceled",
            Phase::Pending | Phase::Queued | Phase::Preparing | Phase::Running | Phase::Finalizing => {
                return None;
            }
        };
        let time = |seconds: Option<i64>| {
            seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
        };
        let parts = [after.queued_seconds, after.preparing_seconds, after.running_seconds].map(time);
        Some(Done::Run { result, took: time(after.duration_seconds), parts })
    }
}
