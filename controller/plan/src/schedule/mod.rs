//! MLSchedule: a schedule of Azure ML whose job runs the pipeline's current version, and follows it.
//!
//! Source: Azure REST API, `Schedules_CreateOrUpdate`; "Schedule machine learning pipeline jobs" (start time, deletion).

mod body;
mod calendar;
mod cluster;
pub mod due;
mod fired_here;
mod follow;
mod health;
mod leave;
mod leftover;
mod listed;
mod made;
pub mod moments;
mod own;
mod runs;
mod times;
mod wanted;

use self::body::{body, content_hash, start_in_force, trigger};
pub use self::calendar::{Calendar, calendar};
pub use self::fired_here::is_fired_here;
use self::follow::Followed;
use self::health::counted;
pub use self::health::{Health, health};
pub use self::leave::Address;
pub use self::leftover::leftovers;
pub use self::listed::{History, Jobs, Listed, read};
pub use self::made::{FIRES_AT, LABEL, Made, made, owner_of};
pub use self::runs::{ended, since, unexplained};
use self::runs::{last_success, merged};
pub use self::times::check;
use self::times::{Times, times};
pub use self::wanted::{Refs, Wanted};
use crate::action::{Action, Next, Plan, Verdict};
use crate::asset_name::Label;
use crate::context::Ask;
use crate::diff::differences;
use crate::firing::Window;
use crate::invalid::InvalidSpec;
use crate::job::Job;
use crate::owner::{Belongs, is_foreign};
use crate::reasons::Reason;
use crate::settle::Differing;
use crate::taken::taken;
use crate::{Decide, View, failure, firing, job, names, time};
use azureml_client::ArmId;
use azureml_crds::MLSchedule;
use azureml_crds::ml_schedule::{MLScheduleStatus, ScheduledRun};
use jiff::Timestamp;
use serde_json::Value;

/// What Azure has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The schedule.
    pub schedule: Option<Value>,
    /// Its jobs.
    pub jobs: Jobs,
}

/// The schedule's id: names alone decide it.
#[must_use]
pub fn id(schedule: &MLSchedule, workspace: &ArmId) -> ArmId {
    let meta = &schedule.metadata;
    let generated = || {
        let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
        names::generated(names::SCHEDULE, namespace.unwrap_or_default(), name.unwrap_or_default())
    };
    workspace.child("schedules", &schedule.spec.azure_name.clone().unwrap_or_else(generated))
}

/// The labels of data assets that a schedule names.
#[must_use]
pub fn labels(schedule: &MLSchedule, refs: &Refs) -> Vec<Label> {
    job::labels(schedule.spec.inputs.as_ref(), &refs.current, &refs.workspace.id)
}

impl Decide for MLSchedule {
    type Status = MLScheduleStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Seen;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        let spec = &self.spec;
        check(spec).into_iter().next().map_or(Ok(()), Err)?;
        let Times { zone, start, end } = times(spec)?;
        let job = Job {
            display_name: "",
            experiment: "",
            tags: &spec.tags,
            inputs: spec.inputs.as_ref(),
            is_scheduled: true,
            form: refs.form,
            rights: &refs.workspace.rights,
            workspace: &refs.workspace.id,
            pins: &refs.pins,
        };
        job::inputs(&job, &refs.current)?;
        let hash = if is_fired_here(self) { cluster::content_hash(spec) } else { content_hash(spec, refs) };
        Ok(Wanted { id: id(self, &refs.workspace.id), zone, start, end, hash })
    }

    fn plan(&self, view: View<'_, Self>) -> Plan {
        if is_fired_here(self) {
            return cluster::plan(self, &view);
        }
        let plan = decide(self, view);
        let View { refs, wanted, seen, ask } = view;
        let ours = seen.schedule.as_ref().filter(|have| is_ours(refs, have));
        let Some(have) = ours else { return plan };
        let runs = runs_after(self, view);
        Followed { schedule: self, wanted, have, jobs: &seen.jobs, runs: &runs }.add(plan, ask)
    }

    fn facts(&self, view: View<'_, Self>, plan: &Plan) -> MLScheduleStatus {
        let status =
            if is_fired_here(self) { cluster::facts(self, &view, plan) } else { facts(self, view, plan) };
        counted(self, status, view.ask.now)
    }
}

fn facts(schedule: &MLSchedule, view: View<'_, MLSchedule>, plan: &Plan) -> MLScheduleStatus {
    let View { refs, wanted, seen, ask } = view;
    let mut status = schedule.status.clone().unwrap_or_default();
    status.common.azure_id = Some(wanted.id.to_string());
    status.workspace_ref = Some(refs.workspace.reference.clone());
    status.resolved = refs.pins.status(&status.resolved, ask.now);
    status.time_zone = Some(wanted.zone.windows.clone());
    if plan.applied.is_some() {
        status.version = Some(refs.current.version.clone());
        status.next = firings(schedule, wanted, seen.schedule.as_ref(), ask.now);
    }
    status.runs = runs_after(schedule, view);
    status.last_run = status.runs.first().cloned();
    status.last_success_at = last_success(status.last_success_at.as_ref(), &status.runs);
    status
}

/// Whether a schedule in Azure is this object's.
#[must_use]
pub fn is_ours(refs: &Refs, have: &Value) -> bool {
    refs.owner.of(&have["properties"]["tags"]) == Belongs::Us
}

/// The runs after this look.
fn runs_after(
    schedule: &MLSchedule,
    View { refs, seen, ask, .. }: View<'_, MLSchedule>,
) -> Vec<ScheduledRun> {
    let component = ArmId::parse(&refs.current.component_id).unwrap_or_else(|_| refs.workspace.id.clone());
    merged(runs::told(schedule), &seen.jobs, &component, ask.now)
}

/// What the schedule itself needs, whatever becomes of its runs.
fn decide(schedule: &MLSchedule, View { refs, wanted, seen, ask }: View<'_, MLSchedule>) -> Plan {
    let recorded = schedule.status.as_ref().and_then(|status| status.common.azure_id.as_ref());
    if recorded.map(String::as_str) != Some(wanted.id.as_str()) {
        // Deleting must find the schedule also when the pipeline is gone, so the address is written first.
        return Plan::say(creating(), Next::Now);
    }
    let body = match body(schedule, refs, wanted, seen.schedule.as_ref()) {
        Ok(body) => body,
        Err(invalid) => {
            return Plan::say(Verdict::stalled(invalid.reason, invalid.to_string()), Next::Change);
        }
    };
    let put = |body: &Value| Action::Put { id: wanted.id.clone(), body: body.clone() };
    let Some(have) = &seen.schedule else {
        if let Some(end) = over(wanted, ask.now) {
            let message = format!(
                "endTime: {end} has passed, so nothing would fire; set a later endTime, or delete this object"
            );
            return Plan::say(Verdict::stalled(Reason::INVALID_SPEC, message), Next::Change);
        }
        // Azure shows a new schedule late: one that an earlier process sent is not sent again.
        let puts = if ask.may_appear { Vec::new() } else { vec![put(&body)] };
        return Plan::send(puts, creating(), Next::Look);
    };
    if let Some(refused) = not_ours(schedule, refs, wanted, have) {
        return refused;
    }
    match have["properties"]["provisioningState"].as_str().unwrap_or("Succeeded") {
        "Succeeded" => settle(schedule, (refs, wanted), &body, have, ask),
        "Failed" | "Canceled" => failed(schedule, put(&body), have, ask),
        state => {
            Plan::say(Verdict::working(Reason::PROGRESSING, format!("the schedule is {state}")), Next::Look)
        }
    }
}

/// The end of a schedule, where it has passed.
fn over(wanted: &Wanted, now: Timestamp) -> Option<&str> {
    let end = wanted.end.as_deref()?;
    let is_over = time::civil(end)? <= now.to_zoned(wanted.zone.clock.clone()).datetime();
    is_over.then_some(end)
}

fn creating() -> Verdict {
    Verdict::working(Reason::CREATING, "the schedule is being made")
}

/// A plan when the schedule is not ours to write.
fn not_ours(schedule: &MLSchedule, refs: &Refs, wanted: &Wanted, have: &Value) -> Option<Plan> {
    let id = &wanted.id;
    match refs.owner.of(&have["properties"]["tags"]) {
        Belongs::Us | Belongs::Inherited => None,
        Belongs::Nobody if schedule.spec.adopt == Some(true) => None,
        Belongs::Nobody => {
            let message = format!(
                "{id} was not made by this object; set adopt: true to take it over, or give another azureName"
            );
            Some(Plan::say(Verdict::stalled(Reason::NOT_OWNED, message), Next::Again))
        }
        Belongs::Another(owner) => Some(taken(id, &owner, "give this object another azureName")),
    }
}

fn settle(
    schedule: &MLSchedule,
    (refs, wanted): (&Refs, &Wanted),
    body: &Value,
    have: &Value,
    ask: &Ask,
) -> Plan {
    let mut want = body["properties"].clone();
    if let Some(want) = want.as_object_mut() {
        // The name that studio shows cannot be changed after a schedule is made.
        want.remove("displayName");
    }
    let mut found = differences(&want, &have["properties"]);
    found.extend(leftovers(&want, &have["properties"]));
    let at = firings(schedule, wanted, Some(have), ask.now).first().and_then(|first| first.parse().ok());
    if found.is_empty() {
        let is_suspended = schedule.spec.suspend == Some(true);
        let message =
            if is_suspended { "the schedule is suspended" } else { "the schedule is as the spec says" };
        let plan = Plan::say(Verdict::ready(Reason::SUCCEEDED, message), Next::Tick);
        return Plan { applied: Some(wanted.hash.clone()), at, ..plan };
    }
    let put = Action::Put { id: wanted.id.clone(), body: body.clone() };
    let common = schedule.status.as_ref().map(|status| &status.common);
    let differing = Differing {
        common,
        policy: schedule.spec.drift_policy,
        hash: &wanted.hash,
        is_foreign: is_foreign(&have["properties"]["tags"]),
        is_inherited: refs.owner.of(&have["properties"]["tags"]) == Belongs::Inherited,
        found: &found,
    };
    Plan { at, ..differing.plan(put, Next::Look, ask) }
}

fn failed(schedule: &MLSchedule, put: Action, have: &Value, ask: &Ask) -> Plan {
    let last = schedule.status.as_ref().and_then(|status| status.common.last_failure.as_ref());
    let failed = crate::action::Failed {
        reason: Reason::PROVISIONING_FAILED.into(),
        message: format!(
            "the schedule ended {}",
            have["properties"]["provisioningState"].as_str().unwrap_or("Failed")
        ),
        is_quota: false,
    };
    failure::retry(failed, put, last, ask)
}

/// The next firing times: those that are shown, while the first of them is still to come and the spec is the same.
fn firings(schedule: &MLSchedule, wanted: &Wanted, have: Option<&Value>, now: Timestamp) -> Vec<String> {
    if schedule.spec.suspend == Some(true) {
        return Vec::new();
    }
    let start = time::civil(&start_in_force(wanted, have));
    let (Some(trigger), Some(start)) = (trigger(schedule), start) else { return Vec::new() };
    if let Some(shown) = shown(schedule, wanted, now) {
        return shown;
    }
    let end = wanted.end.as_deref().and_then(time::civil);
    let window = Window { clock: wanted.zone.clock.clone(), start, end };
    let times = firing::next(&trigger, &window, now).unwrap_or_default();
    times.iter().map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).collect()
}

fn shown(schedule: &MLSchedule, wanted: &Wanted, now: Timestamp) -> Option<Vec<String>> {
    let status = schedule.status.as_ref()?;
    let is_same = status.common.applied_hash.as_ref() == Some(&wanted.hash);
    let first = status.next.first()?.parse::<Timestamp>().ok()?;
    (is_same && first > now).then(|| status.next.clone())
}
