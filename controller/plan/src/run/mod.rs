//! MLRun: one job, made at most once, watched to its end, and the words of the step that failed.
//!
//! Source: Azure REST API, `Jobs_CreateOrUpdate`, `Jobs_Cancel`; the words of a job's status are `JobStatus`.

mod facts;
mod history;
mod keep;
mod leave;
mod over;
mod restored;
mod retry;
mod seen;
mod spent;
mod wanted;

use self::facts::{failed, job_facts};
use self::history::moment;
pub use self::history::{step_name, tells_why, why_failed};
pub use self::keep::{MANAGED, TRACKED, is_expired, kept_until};
use self::keep::{ignored, inputs_hash, kept_after, warnings};
pub use self::leave::Address;
pub use self::over::was_seen;
use self::over::{SUCCEEDED, canceled, completed, ended, over, unknown};
pub use self::restored::{id, is_restored, mark, next};
pub use self::seen::{Seen, job_phase, phase};
pub use self::wanted::{Refs, Wanted};
use crate::action::{Action, Next, Plan, Verdict};
use crate::asset_name::Label;
use crate::context::Ask;
use crate::invalid::InvalidSpec;
use crate::job::{self, Form, Job};
use crate::reasons::{Reason, Word};
use crate::trouble::Trouble;
use crate::{Decide, View, failure, tags};
use azureml_client::{ArmId, Class};
use azureml_crds::MLRun;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::ml_run::{Cause, Failure, MLRunSpec, MLRunStatus, Phase};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether the run has ended, by its own status: nothing is left to do for it.
#[must_use]
pub fn is_finished(run: &MLRun) -> bool {
    run.status.as_ref().and_then(|status| status.phase).is_some_and(Phase::is_finished)
}

/// The labels of data assets that a run names.
#[must_use]
pub fn labels(run: &MLRun, current: &Current, workspace: &ArmId) -> Vec<Label> {
    job::labels(run.spec.inputs.as_ref(), current, workspace)
}

impl Decide for MLRun {
    type Status = MLRunStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Seen;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        tags::unique(&self.spec.tags)?;
        let component = ArmId::parse(&refs.current.component_id)
            .map_err(|error| InvalidSpec::new("pipelineRef", error.to_string()))?;
        let job = Job {
            display_name: "",
            experiment: "",
            tags: &BTreeMap::new(),
            inputs: self.spec.inputs.as_ref(),
            is_scheduled: false,
            form: Form::Component,
            rights: &refs.workspace.rights,
            workspace: &refs.workspace.id,
            pins: &refs.pins,
        };
        let refused = job::inputs(&job, &refs.current).err();
        Ok(Wanted { id: id(self, &refs.workspace.id), component, refused })
    }

    fn plan(&self, view: View<'_, Self>) -> Plan {
        let mut plan = decide(self, view);
        if view.ask.is_new_generation {
            plan.warnings.extend(ignored(self));
        }
        plan
    }

    /// A job that Azure refuses for good ends its run.
    fn refused(&self, trouble: &Trouble, ask: &Ask) -> Option<Plan> {
        refusal(self, trouble, ask)
    }

    fn facts(&self, View { refs, wanted, seen, ask }: View<'_, Self>, plan: &Plan) -> MLRunStatus {
        let mut status = self.status.clone().unwrap_or_default();
        if is_finished(self) || restored::is_taken(self, &refs.owner, seen) {
            return status;
        }
        status.common.azure_id = Some(wanted.id.to_string());
        status.job_name = Some(wanted.id.name().to_owned());
        status.workspace_ref = Some(refs.workspace.reference.clone());
        status.pipeline = restored::version(self, refs, seen).cloned();
        status.resolved = refs.pins.status(&status.resolved, ask.now);
        if let Some(cause) = made_again(self, seen) {
            let mut status = retry::anew(status, wanted, seen, cause);
            let next = restored::next(self, &refs.workspace.id);
            status.common.azure_id = Some(next.to_string());
            status.job_name = Some(next.name().to_owned());
            return status;
        }
        if seen.job.is_some() {
            job_facts(self, &mut status, wanted, (seen, ask.now));
        } else {
            status.phase = Some(phase_without_job(plan, status.phase));
            if status.phase == Some(Phase::Failed) {
                let message = plan.verdict.message.chars().take(4096).collect();
                status.failure = Some(Failure { step: None, code: plan.verdict.reason.to_string(), message });
            }
        }
        if status.phase.is_some_and(Phase::is_finished) && status.finished_at.is_none() {
            status.finished_at = Some(Time(failure::whole_seconds(ask.now)));
        }
        status
    }
}

fn decide(run: &MLRun, View { refs, wanted, seen, ask }: View<'_, MLRun>) -> Plan {
    if is_finished(run) {
        return over(run, wanted);
    }
    let recorded = run.status.as_ref().and_then(|status| status.pipeline.as_ref());
    if recorded.is_none() && !is_restored(run) {
        // What runs is written down before anything is sent, so that a lost answer changes nothing.
        let verdict = Verdict::working(Reason::SUBMITTING, "the job is about to be sent");
        return Plan {
            conditions: vec![unknown(Reason::SUBMITTING, "the job is about to be sent")],
            ..Plan::say(verdict, Next::Now)
        };
    }
    match &seen.job {
        Some(job) if restored::is_taken(run, &refs.owner, seen) => restored::of_another(refs, wanted, job),
        Some(job) => watch(run, wanted, seen, job),
        None if was_seen(run) => {
            let message = format!("job {} is gone from Azure; make a new MLRun", wanted.id.name());
            refused(run, Reason::JOB_GONE, &message, ask)
        }
        None if is_restored(run) && run.spec.cancel != Some(true) => {
            refused(run, Reason::JOB_GONE, &restored::gone(wanted), ask)
        }
        None => Plan { applied: Some(inputs_hash(run)), ..submit(run, refs, wanted, ask) },
    }
}

/// The phase of a run that has no job: what the conditions that it is about to get mean.
fn phase_without_job(plan: &Plan, before: Option<Phase>) -> Phase {
    let succeeded = plan.conditions.iter().find(|condition| condition.r#type == SUCCEEDED);
    match succeeded.map(|condition| (condition.status, condition.reason)) {
        Some(("False", Reason::CANCELED)) => Phase::Canceled,
        Some(("False", _)) => Phase::Failed,
        _ => before.unwrap_or(Phase::Pending),
    }
}

/// A run that failed before it had a job, or whose PUT was refused.
#[must_use]
pub fn refused(run: &MLRun, reason: impl Into<Word>, message: &str, ask: &Ask) -> Plan {
    without_job(run, Verdict::stalled(reason, message), Reason::FAILED, ask)
}

/// What it means for a run that Azure refused its job; none where it may be taken later.
fn refusal(run: &MLRun, trouble: &Trouble, ask: &Ask) -> Option<Plan> {
    // Another job can help only where the job itself was refused, and not its cancelling.
    if trouble.verb != "PUT" {
        return None;
    }
    // A job that was never there is not what is missing: it names something that is.
    if trouble.reason == Reason::NOT_FOUND && !was_seen(run) {
        let message =
            trouble.told("the job names what is gone; make a new MLRun once its MLPipeline is ready");
        return Some(refused(run, Reason::COMPONENT_NOT_FOUND, &message, ask));
    }
    (trouble.class == Class::Invalid)
        .then(|| refused(run, trouble.reason.clone(), &trouble.told("make a new MLRun"), ask))
}

/// A run that is over and has no job.
fn without_job(run: &MLRun, verdict: Verdict, reason: Reason, ask: &Ask) -> Plan {
    let conditions = ended("False", reason, &verdict.message);
    let at = kept_after(run, ask.now);
    Plan { conditions, at, warnings: warnings(run), ..Plan::say(verdict, Next::Change) }
}

fn submit(run: &MLRun, refs: &Refs, wanted: &Wanted, ask: &Ask) -> Plan {
    let MLRunSpec {
        pipeline_ref,
        inputs,
        experiment,
        display_name,
        tags,
        force_rerun,
        cancel,
        retry: _,
        // What becomes of the run after its end, or without its object.
        ttl_after_finished: _,
        deletion_policy: _,
    } = &run.spec;
    if *cancel == Some(true) {
        let verdict = Verdict::ready(Reason::CANCELED, "cancelled before a job was made");
        return without_job(run, verdict, Reason::CANCELED, ask);
    }
    if let Some(invalid) = &wanted.refused {
        return refused(run, invalid.reason, &format!("{invalid}; make a new MLRun"), ask);
    }
    let name = run.metadata.name.as_deref().unwrap_or_default();
    let job = Job {
        display_name: job::display_name(display_name.as_ref(), &refs.current, name),
        experiment: job::experiment(experiment.as_ref(), &refs.current, &pipeline_ref.name),
        tags: &job::tags(&refs.current, &refs.owner.tags(tags)),
        inputs: inputs.as_ref(),
        is_scheduled: false,
        form: Form::Component,
        rights: &refs.workspace.rights,
        workspace: &refs.workspace.id,
        pins: &refs.pins,
    };
    match job::properties(&job, &wanted::forced(&refs.current, *force_rerun)) {
        Ok(properties) => sent(wanted, &properties),
        Err(invalid) => refused(run, invalid.reason, &format!("{invalid}; make a new MLRun"), ask),
    }
}

fn sent(wanted: &Wanted, properties: &Value) -> Plan {
    let put = Action::Put { id: wanted.id.clone(), body: serde_json::json!({"properties": properties}) };
    let verdict = Verdict::working(Reason::SUBMITTING, format!("job {} is being sent", wanted.id.name()));
    let conditions = vec![unknown(Reason::SUBMITTING, "the job is being sent")];
    Plan { conditions, ..Plan::send(vec![put], verdict, Next::Now) }
}

fn watch(run: &MLRun, wanted: &Wanted, seen: &Seen, job: &Value) -> Plan {
    let name = wanted.id.name();
    let phase = job_phase(run, job);
    let at = match seen.details.as_ref().and_then(|details| moment(details, "endTimeUtc")) {
        Some(end) => kept_after(run, end),
        None => kept_until(run),
    };
    let end = |verdict: Verdict, status, reason: Reason| {
        let conditions = ended(status, reason, &verdict.message);
        Plan { conditions, at, warnings: warnings(run), ..Plan::say(verdict, Next::Change) }
    };
    let word = job["properties"]["status"].as_str().unwrap_or("Unknown");
    match phase {
        Phase::Succeeded => end(completed(name), "True", Reason::COMPLETED),
        Phase::Canceled => end(canceled(name), "False", Reason::CANCELED),
        Phase::Failed if retry::again(run, seen).is_some() => again(run, wanted, seen),
        Phase::Failed => {
            let Failure { step, message, .. } = failed(wanted, seen);
            let who = step.map_or_else(|| format!("job {name}"), |step| format!("step {step} of job {name}"));
            end(Verdict::stalled(Reason::FAILED, format!("{who} failed: {message}")), "False", Reason::FAILED)
        }
        Phase::Pending | Phase::Queued | Phase::Preparing | Phase::Running | Phase::Finalizing => {
            let cancel = run.spec.cancel == Some(true) && word != "CancelRequested";
            let actions = if cancel {
                vec![Action::Post { id: wanted.id.clone(), action: "cancel" }]
            } else {
                Vec::new()
            };
            let is_going = run.spec.cancel == Some(true);
            let what = if is_going { "being cancelled" } else { "accepted" };
            let verdict = Verdict::ready(Reason::SUBMITTED, format!("job {name} is {what}"));
            let conditions = vec![unknown(Reason::IN_PROGRESS, &format!("job {name} is in progress"))];
            Plan { conditions, ..Plan::send(actions, verdict, Next::Look) }
        }
    }
}

/// The cause for which a job that failed is followed by another.
fn made_again(run: &MLRun, seen: &Seen) -> Option<Cause> {
    let job = seen.job.as_ref()?;
    (job_phase(run, job) == Phase::Failed).then(|| retry::again(run, seen)).flatten()
}

/// A job failed for no fault of its own: the next pass sends another.
fn again(run: &MLRun, wanted: &Wanted, seen: &Seen) -> Plan {
    let before = run.status.as_ref().map_or(0, |status| status.attempts.len());
    let of = run.spec.retry.as_ref().map_or(1, |retry| retry.attempts);
    let Failure { message, .. } = failed(wanted, seen);
    let message = format!(
        "attempt {} of {of} is about to be sent; job {} failed: {message}",
        before + 2,
        wanted.id.name()
    );
    let conditions = vec![unknown(Reason::SUBMITTING, &message)];
    Plan { conditions, ..Plan::say(Verdict::working(Reason::SUBMITTING, message), Next::Now) }
}
