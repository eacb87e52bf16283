//! What a schedule's runs mean for alerts: whether the newest failed, one takes too long, or none succeeds any more.
//!
//! In: a schedule as it is stored, the time. Out: figures for metrics. Reads nothing else, and says nothing to the object.

use super::body::{LONG_AGO, trigger};
use super::cluster::content_hash;
use super::fired_here::is_fired_here;
use super::moments::Moments;
use super::runs::told;
use super::times::times;
use crate::failure::whole_seconds;
use crate::firing::{self, Window};
use crate::time;
use azureml_crds::MLSchedule;
use azureml_crds::ml_run::Phase;
use azureml_crds::ml_schedule::{MLScheduleStatus, ScheduledRun};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// How a schedule's runs are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether the newest run that has ended failed.
    pub is_failed: bool,
    /// Whether two firings in a row had time to succeed, and none did.
    pub is_overdue: bool,
    /// Whether a run has gone on for three times the median of the last ones.
    pub is_slow: bool,
    /// The time since the last success, where there was one.
    pub since_success: Option<SignedDuration>,
}

/// A run is never slow before that.
const SHORTEST: SignedDuration = SignedDuration::from_mins(5);
/// How many runs have to have succeeded before there is a median.
const FEWEST: usize = 3;
/// How long a run may take where none has succeeded yet.
const USUAL: SignedDuration = SignedDuration::from_hours(1);

/// How a schedule's runs are; none where it is suspended or being deleted.
#[must_use]
pub fn health(schedule: &MLSchedule, now: Timestamp) -> Option<Health> {
    let is_gone = schedule.metadata.deletion_timestamp.is_some();
    if schedule.spec.suspend == Some(true) || is_gone {
        return None;
    }
    let status = schedule.status.as_ref()?;
    let runs = told(schedule);
    let success = status.last_success_at.as_ref().map(|time| time.0);
    let over = runs.iter().find(|run| run.phase.is_finished());
    Some(Health {
        is_failed: over.is_some_and(|run| run.phase == Phase::Failed),
        is_overdue: is_overdue(schedule, success, now).unwrap_or(false),
        is_slow: is_slow(runs, now),
        since_success: success.map(|at| now.duration_since(at)),
    })
}

/// Stands for the times of a schedule that is suspended: one that was resumed is known before that was counted.
const SUSPENDED: &str = "suspended";

/// A status with the moment since when success is expected: the schedule was made, resumed or given other times then.
#[must_use]
pub(super) fn counted(schedule: &MLSchedule, status: MLScheduleStatus, now: Timestamp) -> MLScheduleStatus {
    if schedule.spec.suspend == Some(true) {
        return MLScheduleStatus { fires_since: None, times_hash: Some(SUSPENDED.to_owned()), ..status };
    }
    let hash = content_hash(&schedule.spec);
    if status.times_hash.as_ref() == Some(&hash) {
        return status;
    }
    MLScheduleStatus { fires_since: Some(Time(whole_seconds(now))), times_hash: Some(hash), ..status }
}

/// Two firings came after the last success, and the second has had as long as a run takes.
fn is_overdue(schedule: &MLSchedule, success: Option<Timestamp>, now: Timestamp) -> Option<bool> {
    let born = schedule.metadata.creation_timestamp.as_ref().map(|time| time.0);
    // While it was suspended, or fired at other times, nothing of these times was missed; nor before it is counted from when they are in force.
    let counted = schedule.status.as_ref().and_then(|status| status.times_hash.as_ref());
    if counted.is_some_and(|counted| *counted != content_hash(&schedule.spec)) {
        return Some(false);
    }
    let resumed = schedule.status.as_ref().and_then(|status| status.fires_since.as_ref()).map(|time| time.0);
    let since = success.into_iter().chain(born).chain(resumed).max()?;
    let times = times(&schedule.spec).ok()?;
    let start = times.start.as_deref().unwrap_or(LONG_AGO);
    let window = Window {
        clock: times.zone.clock.clone(),
        start: time::civil(start)?,
        end: times.end.as_deref().and_then(time::civil),
    };
    let second = second(schedule, window, since)?;
    let usual = median(told(schedule)).unwrap_or(USUAL);
    Some(now.duration_since(second) > usual)
}

/// The second firing time after a moment.
fn second(schedule: &MLSchedule, window: Window, since: Timestamp) -> Option<Timestamp> {
    if is_fired_here(schedule) {
        let moments = Moments::of(&schedule.spec, window).ok()?;
        let first = moments.after(since)?.timestamp();
        return moments.after(first).map(|second| second.timestamp());
    }
    let firings = firing::next(&trigger(schedule)?, &window, since).ok()?;
    firings.get(1).map(jiff::Zoned::timestamp)
}

fn is_slow(runs: &[ScheduledRun], now: Timestamp) -> bool {
    if durations(runs).len() < FEWEST {
        return false;
    }
    let longest = median(runs).map(|median| (median * 3).max(SHORTEST));
    let open = runs.iter().filter(|run| !run.phase.is_finished());
    let ages = open.map(|run| now.duration_since(run.fired_at.0));
    ages.max().zip(longest).is_some_and(|(age, longest)| age > longest)
}

fn durations(runs: &[ScheduledRun]) -> Vec<i64> {
    let succeeded = runs.iter().filter(|run| run.phase == Phase::Succeeded);
    let mut durations: Vec<i64> = succeeded.filter_map(|run| run.duration_seconds).collect();
    durations.sort_unstable();
    durations
}

/// The median of the runs that succeeded.
fn median(runs: &[ScheduledRun]) -> Option<SignedDuration> {
    let durations = durations(runs);
    durations.get(durations.len() / 2).map(|seconds| SignedDuration::from_secs(*seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_crds::ml_schedule::Engine;
    use serde_json::{Value, json};

    fn schedule(status: &Value) -> MLSchedule {
        let object = json!({
            "apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule",
            "metadata": {"name": "s", "namespace": "n", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"pipelineRef": {"name": "p"}, "cron": "0 6 * * 1-5"}, "status": status,
        });
        serde_json::from_value(object).unwrap()
    }

    fn run(fired: &str, phase: &str, seconds: Option<i64>) -> Value {
        json!({"jobName": fired, "firedAt": fired, "phase": phase, "durationSeconds": seconds})
    }

    fn of(status: &Value, now: &str) -> Health {
        health(&schedule(status), now.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_weekend_is_no_gap_and_two_nights_without_success_are_one() {
        let status = json!({"lastSuccessAt": "2026-01-09T06:10:00Z", "runs": [run("2026-01-09T06:00:00Z", "Succeeded", Some(600))]});
        for (now, is_overdue) in [
            ("2026-01-11T20:00:00Z", false),
            ("2026-01-12T07:00:00Z", false),
            ("2026-01-13T06:05:00Z", false),
            ("2026-01-13T06:11:00Z", true),
        ] {
            assert_eq!(of(&status, now).is_overdue, is_overdue, "{now}");
        }
        let never = json!({"runs": []});
        assert!(!of(&never, "2026-01-02T06:30:00Z").is_overdue, "one firing came, and one is to come");
        assert!(of(&never, "2026-01-05T07:01:00Z").is_overdue, "on Monday the second had an hour");
    }

    #[test]
    fn what_passed_while_it_was_suspended_or_fired_at_other_times_was_not_missed() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut object = schedule(&json!({"lastSuccessAt": "2026-01-09T06:10:00Z"}));
        let pass = |object: &mut MLSchedule, now: &str| {
            let status = object.status.clone().unwrap_or_default();
            object.status = Some(counted(object, status, time(now)));
            health(object, time(now)).is_some_and(|health| health.is_overdue)
        };
        assert!(!pass(&mut object, "2026-01-09T07:00:00Z"));
        object.spec.suspend = Some(true);
        assert!(!pass(&mut object, "2026-01-12T05:00:00Z"), "a suspended one is never overdue");
        object.spec.suspend = None;
        let waiting = health(&object, time("2026-03-02T11:00:00Z"));
        assert!(waiting.is_some_and(|health| !health.is_overdue), "it waits, and no pass has counted yet");
        assert!(!pass(&mut object, "2026-03-02T12:00:00Z"), "it was resumed just now");
        assert!(!pass(&mut object, "2026-03-04T06:30:00Z"), "the second firing has its hour");
        assert!(pass(&mut object, "2026-03-04T07:01:00Z"));
        object.spec.cron = Some("0 9 * * 1-5".to_owned());
        assert!(!pass(&mut object, "2026-03-04T07:02:00Z"), "these times are new");
        assert!(pass(&mut object, "2026-03-05T10:01:00Z"), "two firings came since");
    }

    #[test]
    fn a_run_is_slow_after_three_times_the_median_of_at_least_three() {
        let night =
            |day: u8| run(&format!("2026-01-{day:02}T06:00:00Z"), "Succeeded", Some(600 + i64::from(day)));
        let open = run("2026-01-09T06:00:00Z", "Running", None);
        let status = json!({"runs": [open, night(8), night(7), night(6)]});
        assert!(!of(&status, "2026-01-09T06:29:00Z").is_slow);
        assert!(of(&status, "2026-01-09T06:31:00Z").is_slow);
        assert!(!of(&json!({"runs": [open, night(8)]}), "2026-01-09T09:00:00Z").is_slow);
    }

    #[test]
    fn the_newest_end_decides_whether_it_failed_and_a_suspended_schedule_says_nothing() {
        let (failed, good) =
            (run("2026-01-08T06:00:00Z", "Failed", None), run("2026-01-09T06:00:00Z", "Succeeded", None));
        let open = run("2026-01-10T06:00:00Z", "Running", None);
        let now = "2026-01-09T07:00:00Z";
        assert!(of(&json!({"runs": [open, failed]}), now).is_failed);
        assert!(!of(&json!({"runs": [open, good, failed]}), now).is_failed);
        let mut suspended = schedule(&json!({"runs": [failed]}));
        suspended.spec.suspend = Some(true);
        assert_eq!(health(&suspended, now.parse().unwrap()), None);
    }

    #[test]
    fn a_schedule_that_is_fired_here_is_judged_by_its_own_times() {
        let status = json!({"lastSuccessAt": "2026-01-09T06:10:00Z", "runs": [run("2026-01-09T06:00:00Z", "Failed", None)]});
        let mut fired_here = schedule(&status);
        fired_here.spec.engine = Some(Engine::Controller);
        fired_here.spec.cron = None;
        fired_here.spec.crons = vec!["0 6 1 * *".to_owned(), "30 18 15 * *".to_owned()];
        for (now, is_overdue) in [("2026-02-01T06:59:00Z", false), ("2026-02-01T07:01:00Z", true)] {
            let health = health(&fired_here, now.parse().unwrap()).unwrap();
            assert!(health.is_failed && health.is_overdue == is_overdue, "{now} {health:?}");
        }
    }
}
