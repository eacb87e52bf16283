//! Engine Controller: an MLRun for each firing time, as many at once as the policy allows, and a short history of them.
//!
//! In: a schedule, its runs, the time. Out: a plan whose changes are MLRuns, and the status after it. Nothing is sent to Azure.

use super::due::{Due, begun, due, is_before_all, started};
use super::follow::tell;
use super::made::{Made, body, name};
use super::moments::Moments;
use super::times::deadline;
use super::{own, runs};
use crate::action::{Next, Plan, Verdict};
use crate::change::Change;
use crate::failure::whole_seconds;
use crate::firing::Window;
use crate::reasons::Reason;
use crate::{View, hash, time};
use azureml_crds::MLSchedule;
use azureml_crds::ml_run::Phase;
use azureml_crds::ml_schedule::{ConcurrencyPolicy, Decided, MLScheduleSpec, MLScheduleStatus};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

/// Where nothing else says from when on a recurrence counts.
const LONG_AGO: &str = "2020-01-01T00:00:00";

/// The hash of what decides when a schedule fires: where it changes, what passed before is no firing time of it.
pub(super) fn content_hash(spec: &MLScheduleSpec) -> String {
    let MLScheduleSpec {
        engine: _,
        cron,
        crons,
        recurrence,
        time_zone,
        start_time,
        end_time,
        suspend,
        // How a firing is carried out, and not when it comes.
        concurrency_policy: _,
        starting_deadline: _,
        history_limit: _,
        inputs: _,
        experiment: _,
        display_name: _,
        tags: _,
        deletion_policy: _,
        // It never changes.
        pipeline_ref: _,
        // Of engine Azure alone.
        azure_name: _,
        description: _,
        drift_policy: _,
        adopt: _,
    } = spec;
    hash::content(
        "schedule-controller",
        &json!({"cron": cron, "crons": crons, "recurrence": recurrence, "timeZone": time_zone,
            "startTime": start_time, "endTime": end_time, "suspend": suspend == &Some(true)}),
    )
}

/// Everything that a decision looks at.
struct Sight<'a> {
    schedule: &'a MLSchedule,
    runs: &'a [Made],
    moments: Moments<'a>,
    decided: &'a [Decided],
    deadline: SignedDuration,
    missed_until: Option<Timestamp>,
    /// Whether what the spec says of its times is new, or the clock stands before all that is known.
    is_new: bool,
    now: Timestamp,
}

impl<'a> Sight<'a> {
    fn of(schedule: &'a MLSchedule, view: &View<'a, MLSchedule>) -> Option<Self> {
        let View { refs, wanted, ask, .. } = view;
        let start = time::civil(wanted.start.as_deref().unwrap_or(LONG_AGO))?;
        let end = wanted.end.as_deref().and_then(time::civil);
        let window = Window { clock: wanted.zone.clock.clone(), start, end };
        let moments = Moments::of(&schedule.spec, window).ok()?;
        let status = schedule.status.as_ref();
        let decided = status.map(|status| status.decided.as_slice()).unwrap_or_default();
        let applied = status.and_then(|status| status.common.applied_hash.as_ref());
        Some(Self {
            schedule,
            runs: &refs.runs,
            moments,
            decided,
            deadline: deadline(&schedule.spec).ok()?,
            missed_until: status.and_then(|status| status.missed_until.as_ref()).map(|until| until.0),
            is_new: applied != Some(&wanted.hash) || is_before_all(decided, ask.now),
            now: ask.now,
        })
    }

    fn is_suspended(&self) -> bool {
        self.schedule.spec.suspend == Some(true)
    }

    fn going(&self) -> impl Iterator<Item = &Made> {
        self.runs.iter().filter(|run| run.ended.is_none())
    }

    /// The runs that keep the next one from starting.
    fn holding(&self) -> Vec<&str> {
        match self.schedule.spec.concurrency_policy.unwrap_or_default() {
            ConcurrencyPolicy::Forbid => self.going().map(|run| run.which.name.as_str()).collect(),
            ConcurrencyPolicy::Allow | ConcurrencyPolicy::Replace => Vec::new(),
        }
    }

    /// The name of the run for a firing time.
    fn name(&self, at: Timestamp) -> String {
        name(self.schedule.metadata.name.as_deref().unwrap_or_default(), at)
    }

    /// Whether the run for a firing time is there: a process before made it, and did not come to write that down.
    fn is_made(&self, at: Timestamp) -> bool {
        let name = self.name(at);
        self.runs.iter().any(|run| run.which.name == name)
    }

    /// The firing time that is due, with what is missed.
    fn due(&self) -> Due {
        if self.is_suspended() || self.is_new {
            return Due::default();
        }
        due(&self.moments, self.decided, (self.deadline, self.missed_until), self.now)
    }

    /// The new run first: where it is refused, the old one goes on. Where it is there already, what it replaces may still go on.
    fn start(&self, at: Timestamp) -> Vec<Change> {
        let create =
            (!self.is_made(at)).then(|| Change::Create { run: body(self.schedule, at), due: Some(at) });
        let replaces = self.schedule.spec.concurrency_policy == Some(ConcurrencyPolicy::Replace);
        let name = self.name(at);
        let is_old = |run: &&Made| run.which.name != name && !run.is_going && !run.is_deleted;
        let old = self.going().filter(|run| replaces && is_old(run));
        create.into_iter().chain(old.map(|run| Change::Cancel(run.which.clone()))).collect()
    }

    /// The finished runs that are too many, the oldest of them.
    fn history(&self) -> Vec<Change> {
        let limit = self.schedule.spec.history_limit.clone().unwrap_or_default();
        let is_good = |run: &&Made| run.ended == Some(Phase::Succeeded);
        let is_ended = |run: &&Made| run.ended.is_some() && !run.is_deleted;
        let ended: Vec<&Made> = self.runs.iter().filter(is_ended).collect();
        let (good, bad): (Vec<&Made>, Vec<&Made>) = ended.into_iter().partition(is_good);
        [(good, limit.successful.unwrap_or(3)), (bad, limit.failed.unwrap_or(1))]
            .into_iter()
            .flat_map(|(mut runs, keep)| {
                runs.sort_by_key(|run| std::cmp::Reverse((run.at, run.which.name.clone())));
                runs.into_iter().skip(usize::try_from(keep).unwrap_or(0))
            })
            .map(|run| Change::Delete(run.which.clone()))
            .collect()
    }
}

/// What to make now, what to say, when to look again.
pub(super) fn plan(schedule: &MLSchedule, view: &View<'_, MLSchedule>) -> Plan {
    let before = runs::told(schedule);
    tell(
        decide(schedule, view),
        before,
        &own::kept(before, &view.refs.runs, schedule.spec.deletion_policy, view.ask.now),
        None,
    )
}

/// What the schedule itself needs, whatever becomes of its runs.
fn decide(schedule: &MLSchedule, view: &View<'_, MLSchedule>) -> Plan {
    let Some(sight) = Sight::of(schedule, view) else {
        return Plan::say(
            Verdict::stalled(Reason::INVALID_SPEC, "the times cannot be read; correct them"),
            Next::Change,
        );
    };
    let next = sight.moments.after(sight.now).map(|next| next.timestamp());
    let say = |message: String| Plan {
        applied: Some(view.wanted.hash.clone()),
        at: next,
        cluster: sight.history(),
        ..Plan::say(Verdict::ready(Reason::SUCCEEDED, message), Next::Change)
    };
    if sight.is_suspended() {
        return Plan { at: None, ..say("the schedule is suspended".to_owned()) };
    }
    if sight.is_new {
        return say(waits(next));
    }
    let due = sight.due();
    let mut plan = match (due.at, sight.holding()) {
        (Some(at), holding) if holding.is_empty() || sight.is_made(at) => {
            let plan = say(waits(next));
            let cluster = sight.start(at).into_iter().chain(plan.cluster).collect();
            Plan { cluster, ..plan }
        }
        (Some(at), holding) => {
            let late = at.checked_add(sight.deadline).ok();
            let until = [late, next].into_iter().flatten().min();
            let message = format!("the run for {at} waits for the end of MLRun {}", holding.join(", "));
            Plan { at: until, ..say(message) }
        }
        (None, _) => say(waits(next)),
    };
    plan.warnings.extend(due.missed.map(missed));
    plan
}

fn missed(first: Timestamp) -> (Reason, String) {
    let message = format!(
        "no run was made for {first}, nor for what may have followed it, within startingDeadline; make one with kubectl create, or set a longer startingDeadline"
    );
    (Reason::STARTING_DEADLINE_PASSED, message)
}

fn waits(next: Option<Timestamp>) -> String {
    match next {
        Some(_) => "the schedule makes an MLRun at each of its times".to_owned(),
        None => "the schedule is over: none of its times is still to come".to_owned(),
    }
}

/// The status after a plan. What was not carried out is not decided.
pub(super) fn facts(schedule: &MLSchedule, view: &View<'_, MLSchedule>, plan: &Plan) -> MLScheduleStatus {
    let mut status = schedule.status.clone().unwrap_or_default();
    let View { refs, wanted, ask, .. } = view;
    status.workspace_ref = Some(refs.workspace.reference.clone());
    status.time_zone = Some(wanted.zone.windows.clone());
    status.version = Some(refs.current.version.clone());
    status.runs = own::kept(runs::told(schedule), &refs.runs, schedule.spec.deletion_policy, ask.now);
    status.last_run = status.runs.first().cloned();
    status.last_success_at = runs::last_success(status.last_success_at.as_ref(), &status.runs);
    let Some(sight) = Sight::of(schedule, view) else { return status };
    let is_started = |at: &Timestamp| {
        let name = sight.name(*at);
        sight.is_made(*at)
            || plan
                .cluster
                .iter()
                .any(|change| matches!(change, Change::Create { .. }) && change.name() == name)
    };
    let started_at = sight.due().at.filter(is_started);
    let mut active: Vec<String> = sight.going().map(|run| run.which.name.clone()).collect();
    active.extend(started_at.map(|at| sight.name(at)));
    active.sort();
    active.dedup();
    active.truncate(20);
    status.active = active;
    status.next = if sight.is_suspended() { Vec::new() } else { sight.moments.shown(sight.now) };
    if let Some(at) = started_at {
        status.last_fired_at = Some(Time(whole_seconds(at)));
        status.decided = started(&sight.moments, sight.decided, (at, sight.deadline), sight.now);
    } else if sight.is_new {
        status.decided = begun(sight.decided, sight.now);
    }
    if plan.warnings.iter().any(|(reason, _)| *reason == Reason::STARTING_DEADLINE_PASSED) {
        status.missed_until =
            sight.now.checked_sub(sight.deadline).ok().map(|until| Time(whole_seconds(until)));
    }
    status
}
