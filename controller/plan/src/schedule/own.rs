//! The last runs of a schedule of engine Controller, as `status` tells them: those of its MLRuns.
//!
//! In: runs, the MLRuns that there are, the time. Out: runs. An MLRun that ended and was deleted since is told as it was.

use super::made::Made;
use super::runs::newest;
use crate::failure::whole_seconds;
use crate::reasons::Reason;
use azureml_crds::ml_run::{Failure, Phase};
use azureml_crds::ml_schedule::ScheduledRun;
use azureml_crds::shared::DeletionPolicy;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The runs after a look, the newest first. A run that keeps its job when it is deleted goes on unseen, so that nothing is told of it.
#[must_use]
pub fn kept(
    before: &[ScheduledRun],
    made: &[Made],
    policy: Option<DeletionPolicy>,
    now: Timestamp,
) -> Vec<ScheduledRun> {
    let is_there = |run: &ScheduledRun| made.iter().any(|made| run.run.as_ref() == Some(&made.which.name));
    let is_told = |run: &ScheduledRun| policy != Some(DeletionPolicy::Retain) || run.phase.is_finished();
    let left = before.iter().filter(|run| !is_there(run) && is_told(run));
    let left = left.map(|run| if run.phase.is_finished() { run.clone() } else { deleted(run, now) });
    newest(made.iter().map(|made| made.run.clone()).chain(left).collect())
}

/// A run whose MLRun was deleted before its end was seen: that cancels its job.
fn deleted(run: &ScheduledRun, now: Timestamp) -> ScheduledRun {
    let message = "the MLRun was deleted before its end was seen".to_owned();
    ScheduledRun {
        phase: Phase::Canceled,
        finished_at: Some(Time(whole_seconds(now))),
        failure: Some(Failure { step: None, code: Reason::DELETED.to_string(), message }),
        ..run.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{FIRES_AT, made};
    use super::super::runs::ended;
    use super::*;
    use azureml_crds::MLSchedule;
    use serde_json::{Value, json};

    fn at(minute: u8) -> Timestamp {
        format!("2026-01-05T06:{minute:02}:00Z").parse().unwrap()
    }

    /// What is known of the MLRun of a minute.
    fn run(minute: u8, status: &Value) -> Made {
        let schedule = json!({
            "apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule", "metadata": {"name": "s", "namespace": "n", "uid": "of-s"},
            "spec": {"pipelineRef": {"name": "p"}, "engine": "Controller", "cron": "* * * * *"},
        });
        let owner = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule", "name": "s", "uid": "of-s", "controller": true});
        let run = json!({
            "apiVersion": "azureml.dev/v1alpha1", "kind": "MLRun",
            "metadata": {"name": format!("s-{minute}"), "namespace": "n", "uid": format!("uid-{minute}"),
                "creationTimestamp": at(minute + 1), "ownerReferences": [owner],
                "annotations": {FIRES_AT: at(minute).to_string()}},
            "spec": {"pipelineRef": {"name": "p"}}, "status": status,
        });
        let schedule: MLSchedule = serde_json::from_value(schedule).unwrap();
        made(&schedule, &serde_json::from_value(run).unwrap()).unwrap()
    }

    fn shown(runs: &[ScheduledRun]) -> Vec<(&str, Phase)> {
        runs.iter().map(|run| (run.run.as_deref().unwrap_or_default(), run.phase)).collect()
    }

    #[test]
    fn runs_are_told_with_what_their_objects_say_and_by_their_firing_time() {
        let failure = json!({"step": "train", "code": "UserError", "message": "no package caret"});
        let failed = json!({"phase": "Failed", "jobName": "r-1", "failure": failure, "durationSeconds": 7,
            "finishedAt": at(9), "studioUrl": "https://ml.azure.com/runs/r-1"});
        let runs = kept(&[], &[run(0, &failed), run(10, &json!({}))], None, at(11));
        assert_eq!(shown(&runs), [("s-10", Phase::Pending), ("s-0", Phase::Failed)]);
        assert_eq!((runs[1].fired_at.0, runs[1].duration_seconds), (at(0), Some(7)));
        assert_eq!(runs[1].failure.as_ref().unwrap().message, "no package caret");
        assert_eq!((runs[1].job_name.as_str(), runs[0].job_name.as_str()), ("r-1", "r-uid-10"));
        let others = [run(0, &failed), run(10, &json!({"phase": "Succeeded"}))];
        let after = kept(&runs, &others, None, at(20));
        assert_eq!(
            shown(&ended(&runs, &after).into_iter().cloned().collect::<Vec<_>>()),
            [("s-10", Phase::Succeeded)]
        );
    }

    #[test]
    fn an_ended_run_that_the_history_lost_stays_and_one_that_was_deleted_on_its_way_is_cancelled() {
        let before = kept(
            &[],
            &[run(0, &json!({"phase": "Succeeded"})), run(10, &json!({"phase": "Running"}))],
            None,
            at(11),
        );
        let after = kept(&before, &[], None, at(20));
        let retained = kept(&before, &[], Some(DeletionPolicy::Retain), at(20));
        assert_eq!(shown(&retained), [("s-0", Phase::Succeeded)], "its job goes on");
        assert_eq!(shown(&after), [("s-10", Phase::Canceled), ("s-0", Phase::Succeeded)]);
        assert_eq!(after[0].finished_at.as_ref().map(|time| time.0), Some(at(20)));
        assert_eq!(kept(&after, &[], None, at(30)), after, "it is told once");
    }
}
