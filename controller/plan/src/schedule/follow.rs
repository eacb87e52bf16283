//! What a schedule says of its runs, and when it looks at them again. Nothing of it decides whether the schedule is Ready.
//!
//! In: a schedule, its plan, what was seen of its jobs. Out: the plan with a condition, events and a moment added.

use super::body::{start_in_force, trigger};
use super::listed::Jobs;
use super::runs;
use super::wanted::Wanted;
use crate::action::{Extra, Plan};
use crate::context::Ask;
use crate::firing::{self, Window};
use crate::reasons::Reason;
use crate::report::LAST_RUN_SUCCEEDED;
use crate::time;
use azureml_crds::MLSchedule;
use azureml_crds::ml_run::Phase;
use azureml_crds::ml_schedule::ScheduledRun;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Clocks differ.
const EARLY: SignedDuration = SignedDuration::from_secs(5);

/// The longest time between two tries to read why a run failed.
const LONGEST_UNREAD: SignedDuration = SignedDuration::from_hours(1);

/// What a plan says beside the schedule itself.
pub(super) struct Followed<'a> {
    pub schedule: &'a MLSchedule,
    pub wanted: &'a Wanted,
    pub have: &'a Value,
    pub jobs: &'a Jobs,
    /// The runs after this look.
    pub runs: &'a [ScheduledRun],
}

impl Followed<'_> {
    /// The plan, with what there is to say of runs.
    pub(super) fn add(&self, plan: Plan, ask: &Ask) -> Plan {
        let plan = tell(plan, runs::told(self.schedule), self.runs, self.jobs.refused.as_deref());
        let at = [plan.at, self.next_look(ask)].into_iter().flatten().min();
        Plan { at, ..plan }
    }

    /// When the jobs are looked at next: soon after a firing, and ever less often while a run goes on. All schedules look at the same
    /// moments, so that one list serves them.
    fn next_look(&self, ask: &Ask) -> Option<Timestamp> {
        let unit = unit(ask.pace.firing);
        let open = self.runs.iter().filter(|run| !run.phase.is_finished()).map(|run| run.fired_at.0).max();
        let running = open.map(|fired| {
            let age = ask.now.duration_since(fired);
            (age / 4).clamp(unit, ask.pace.firing * 5 / 2)
        });
        let unread = self.runs.iter().filter(|run| runs::is_unread(run)).map(|run| run.fired_at.0).max();
        let unread = unread.map(|fired| (ask.now.duration_since(fired) / 4).clamp(unit, LONGEST_UNREAD));
        let newest = self.runs.first().map(|run| run.fired_at.0);
        let awaited = self.expected(ask).filter(|at| newest.is_none_or(|made| *at > made + EARLY));
        let starting = awaited.and_then(|at| {
            let mut delays = (0..6).map(|doubling| unit * 2_i32.pow(doubling));
            let next = delays.find(|delay| at + *delay > ask.now)?;
            Some(at.duration_since(ask.now) + next)
        });
        let delay = running.into_iter().chain(starting).chain(unread).min()?;
        Some(on_beat(ask.now, ask.now + delay, unit))
    }

    /// The newest moment at which the schedule was to fire of late.
    fn expected(&self, ask: &Ask) -> Option<Timestamp> {
        if self.schedule.spec.suspend == Some(true) {
            return None;
        }
        let trigger = trigger(self.schedule)?;
        let window = Window {
            clock: self.wanted.zone.clock.clone(),
            start: time::civil(&start_in_force(self.wanted, Some(self.have)))?,
            end: self.wanted.end.as_deref().and_then(time::civil),
        };
        let times = firing::next(&trigger, &window, ask.now - ask.pace.firing * 4).ok()?;
        times.iter().map(jiff::Zoned::timestamp).rfind(|time| *time <= ask.now)
    }
}

/// A plan with what there is to say of runs: how the newest ended, and what has ended since.
pub(super) fn tell(
    mut plan: Plan,
    before: &[ScheduledRun],
    runs: &[ScheduledRun],
    refused: Option<&str>,
) -> Plan {
    plan.conditions.extend(condition(runs, refused));
    let news = runs::ended(before, runs).into_iter().chain(runs::explained(before, runs));
    plan.warnings.extend(news.map(|run| (reason(run.phase), said(run))));
    plan
}

fn condition(runs: &[ScheduledRun], refused: Option<&str>) -> Option<Extra> {
    let say = |status, reason, message| Extra { r#type: LAST_RUN_SUCCEEDED, status, reason, message };
    if let Some(cause) = refused {
        return Some(say("Unknown", Reason::RUNS_UNREAD, cause.to_owned()));
    }
    let over = runs.iter().find(|run| run.phase.is_finished());
    let Some(run) = over else {
        let message = format!("{} is in progress", what(runs.first()?));
        return Some(say("Unknown", Reason::IN_PROGRESS, message));
    };
    let status = if run.phase == Phase::Succeeded { "True" } else { "False" };
    Some(say(status, reason(run.phase), said(run)))
}

/// The shortest time between two looks.
fn unit(firing: SignedDuration) -> SignedDuration {
    (firing / 8).max(SignedDuration::from_millis(100))
}

/// The latest multiple of a unit that is not after a moment, but after now.
fn on_beat(now: Timestamp, moment: Timestamp, unit: SignedDuration) -> Timestamp {
    let unit = unit.as_millis().max(1);
    let beats = i128::from(moment.as_millisecond()) / unit;
    let next = i128::from(now.as_millisecond()) / unit + 1;
    let at = i64::try_from(beats.max(next) * unit).ok();
    at.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(moment)
}

fn reason(phase: Phase) -> Reason {
    match phase {
        Phase::Succeeded => Reason::RUN_SUCCEEDED,
        Phase::Canceled => Reason::RUN_CANCELED,
        Phase::Pending
        | Phase::Queued
        | Phase::Preparing
        | Phase::Running
        | Phase::Finalizing
        | Phase::Failed => Reason::RUN_FAILED,
    }
}

/// A run by its name.
fn what(run: &ScheduledRun) -> String {
    run.run.as_ref().map_or_else(|| format!("job {}", run.job_name), |name| format!("MLRun {name}"))
}

/// The end of a run in words.
fn said(run: &ScheduledRun) -> String {
    let (what, fired) = (what(run), run.fired_at.0);
    match (run.phase, &run.failure) {
        (Phase::Succeeded, _) => {
            let took =
                run.duration_seconds.map(|seconds| format!(" in {:#}", SignedDuration::from_secs(seconds)));
            format!("{what} of {fired} succeeded{}", took.unwrap_or_default())
        }
        (Phase::Canceled, Some(cause)) => format!("{what} of {fired} was cancelled: {}", cause.message),
        (Phase::Canceled, None) => format!("{what} of {fired} was cancelled"),
        (_, Some(failure)) => {
            let step = failure.step.as_ref().map(|step| format!("step {step} of ")).unwrap_or_default();
            format!("{step}{what} of {fired} failed: {}", failure.message)
        }
        (_, None) => format!("{what} of {fired} failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_fall_on_the_same_moments_for_all() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let unit = unit(SignedDuration::from_mins(2));
        assert_eq!(unit, SignedDuration::from_secs(15));
        let beat = |now: &str, moment: &str| on_beat(at(now), at(moment), unit);
        assert_eq!(beat("2026-01-05T06:00:01Z", "2026-01-05T06:00:16Z"), at("2026-01-05T06:00:15Z"));
        assert_eq!(beat("2026-01-05T06:00:01Z", "2026-01-05T06:01:00Z"), at("2026-01-05T06:01:00Z"));
        assert_eq!(
            beat("2026-01-05T06:00:15Z", "2026-01-05T06:00:16Z"),
            at("2026-01-05T06:00:30Z"),
            "never at once"
        );
    }
}
