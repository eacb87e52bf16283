//! Where the time of a run went: how long its steps waited for nodes, were prepared, and ran.
//!
//! In: a step as run history tells it, and as `status` told it before; the time. Out: moments and seconds. Run history tells when a step
//! was made, when it started and when it ended, and never when it was prepared: that is when a look first saw it so. Whether it
//! starts with its preparation or after it is not recorded, so both are read.

use crate::failure::whole_seconds;
use azureml_crds::ml_run::{MLRunStatus, Phase, StepRun};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The moments of a step.
#[derive(Clone, Copy)]
struct Moments {
    made: Timestamp,
    preparing: Option<Timestamp>,
    running: Option<Timestamp>,
    ended: Option<Timestamp>,
}

fn at(time: Option<&Time>) -> Option<Timestamp> {
    time.map(|time| time.0)
}

/// Adds to a step what is known of its time.
pub(super) fn spend(step: &mut StepRun, before: &[StepRun], now: Timestamp) {
    if step.reused == Some(true) {
        return;
    }
    let before = before.iter().find(|other| other.name == step.name && other.queued_at == step.queued_at);
    let started = at(step.started_at.as_ref());
    let seen = before.and_then(|before| at(before.preparing_at.as_ref()));
    let preparing = seen.or_else(|| (step.phase == Phase::Preparing).then(|| started.unwrap_or(now)));
    let running = before.and_then(|before| at(before.running_at.as_ref())).or(match step.phase {
        Phase::Pending | Phase::Queued | Phase::Preparing => None,
        // It started when it was prepared already.
        _ if started > preparing => started,
        // It started with its preparation: that it runs is known since this look, if it still does.
        Phase::Running | Phase::Finalizing => started.and(Some(now)),
        Phase::Succeeded | Phase::Failed | Phase::Canceled => None,
    });
    let is_over = step.phase.is_finished();
    // Where nobody saw it run, nobody knows when its preparation ended.
    let preparing = preparing.filter(|_| running.is_some() || !is_over);
    let running = running.or_else(|| started.filter(|_| is_over));
    let time = |moment: Option<Timestamp>| moment.map(|moment| Time(whole_seconds(moment)));
    (step.preparing_at, step.running_at) = (time(preparing), time(running));
    let Some(moments) = moments(step) else { return };
    let seconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
        from.zip(to).map(|(from, to)| to.duration_since(from).as_secs().max(0))
    };
    let left = moments.preparing.or(moments.running);
    step.queued_seconds = seconds(Some(moments.made), left);
    step.preparing_seconds = seconds(moments.preparing, moments.running);
    step.running_seconds = seconds(moments.running, moments.ended);
}

fn moments(step: &StepRun) -> Option<Moments> {
    Some(Moments {
        made: at(step.queued_at.as_ref())?,
        preparing: at(step.preparing_at.as_ref()),
        running: at(step.running_at.as_ref()),
        ended: at(step.finished_at.as_ref()),
    })
}

/// Adds to a run that has ended the time of its steps, each second once: as running where a step ran, else as preparing where one was
/// prepared, else as queued where one waited.
pub(super) fn total(status: &mut MLRunStatus) {
    let all: Vec<Moments> =
        status.steps.iter().filter(|step| step.reused != Some(true)).filter_map(moments).collect();
    let ends = |step: &Moments| [Some(step.made), step.preparing, step.running, step.ended];
    let mut edges: Vec<Timestamp> = all.iter().flat_map(ends).flatten().collect();
    edges.sort_unstable();
    let (mut queued, mut preparing, mut running) = (0, 0, 0);
    for (from, to) in edges.iter().zip(edges.iter().skip(1)) {
        let within = |begin: Option<Timestamp>, end: Option<Timestamp>| {
            begin.zip(end).is_some_and(|(begin, end)| begin <= *from && *to <= end)
        };
        let seconds = to.duration_since(*from).as_secs();
        if all.iter().any(|step| within(step.running, step.ended)) {
            running += seconds;
        } else if all.iter().any(|step| within(step.preparing, step.running)) {
            preparing += seconds;
        } else if all.iter().any(|step| within(Some(step.made), step.preparing.or(step.running))) {
            queued += seconds;
        }
    }
    if !all.is_empty() {
        (status.queued_seconds, status.preparing_seconds) = (Some(queued), Some(preparing));
        status.running_seconds = Some(running);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn minute(minute: u8) -> Timestamp {
        format!("2026-01-05T06:{minute:02}:00Z").parse().unwrap()
    }

    /// A step as run history tells it: made in the first minute.
    fn step(phase: &str, started: Option<u8>, ended: Option<u8>) -> StepRun {
        let time = |at: Option<u8>| at.map_or(Value::Null, |at| json!(minute(at).to_string()));
        let step = json!({"name": "a", "phase": phase, "queuedAt": minute(0).to_string(), "startedAt": time(started), "finishedAt": time(ended)});
        serde_json::from_value(step).unwrap()
    }

    /// What the looks make of it, each a minute, with what run history tells at the time.
    fn looks(told: &[(u8, StepRun)]) -> StepRun {
        let mut before = Vec::new();
        for (at, step) in told {
            let mut step = step.clone();
            spend(&mut step, &before, minute(*at));
            before = vec![step];
        }
        before.remove(0)
    }

    fn seconds(step: &StepRun) -> [Option<i64>; 3] {
        [step.queued_seconds, step.preparing_seconds, step.running_seconds]
    }

    #[test]
    fn a_step_that_starts_when_it_is_prepared_is_told_apart_by_its_start() {
        let step = looks(&[
            (1, step("Queued", None, None)),
            (4, step("Preparing", None, None)),
            (9, step("Running", Some(8), None)),
            (20, step("Succeeded", Some(8), Some(18))),
        ]);
        assert_eq!(seconds(&step), [Some(240), Some(240), Some(600)]);
    }

    #[test]
    fn a_step_that_starts_with_its_preparation_runs_from_the_look_that_saw_it_run() {
        let told = [
            (4, step("Preparing", Some(3), None)),
            (9, step("Running", Some(3), None)),
            (20, step("Failed", Some(3), Some(18))),
        ];
        assert_eq!(seconds(&looks(&told)), [Some(180), Some(360), Some(540)]);
        let unseen = [told[0].clone(), told[2].clone()];
        assert_eq!(seconds(&looks(&unseen)), [Some(180), None, Some(900)], "nobody saw when it began to run");
    }

    #[test]
    fn a_step_that_was_never_seen_before_its_end_is_queued_until_its_start() {
        assert_eq!(
            seconds(&looks(&[(20, step("Succeeded", Some(5), Some(7)))])),
            [Some(300), None, Some(120)]
        );
        assert_eq!(seconds(&looks(&[(20, step("Canceled", None, Some(7)))])), [None, None, None]);
        let reused = StepRun { reused: Some(true), ..step("Succeeded", Some(0), Some(0)) };
        assert_eq!(seconds(&looks(&[(20, reused)])), [None, None, None]);
    }

    #[test]
    fn a_second_of_a_run_counts_once_and_work_counts_before_waiting() {
        let one = looks(&[(2, step("Preparing", None, None)), (20, step("Succeeded", Some(6), Some(12)))]);
        let other = looks(&[(20, step("Succeeded", Some(10), Some(20)))]);
        let mut status = MLRunStatus { steps: vec![one, other], ..MLRunStatus::default() };
        total(&mut status);
        let all = [status.queued_seconds, status.preparing_seconds, status.running_seconds];
        assert_eq!(all, [Some(120), Some(240), Some(840)]);
    }
}
