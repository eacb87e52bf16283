//! What a run says at its end, and ever after: whatever becomes of its job.

use super::keep::kept_until;
use super::wanted::Wanted;
use crate::action::{Extra, Next, Plan, Verdict};
use crate::reasons::{Reason, Word};
use azureml_crds::MLRun;
use azureml_crds::ml_run::Phase;

/// Whether there was a job: it is not sent a second time.
#[must_use]
pub fn was_seen(run: &MLRun) -> bool {
    let status = run.status.as_ref();
    status.is_some_and(|status| {
        status.studio_url.is_some() || status.phase.is_some_and(|phase| phase != Phase::Pending)
    })
}

/// A run that is over says what it said, whatever became of its job.
pub(super) fn over(run: &MLRun, wanted: &Wanted) -> Plan {
    let name = wanted.id.name();
    let status = run.status.as_ref();
    let (verdict, is_true, reason) = match status.and_then(|status| status.phase) {
        Some(Phase::Succeeded) => (completed(name), "True", Reason::COMPLETED),
        Some(Phase::Failed) => (failed(run, name), "False", Reason::FAILED),
        _ => (canceled(name), "False", Reason::CANCELED),
    };
    let conditions = ended(is_true, reason, &verdict.message);
    Plan { conditions, at: kept_until(run), ..Plan::say(verdict, Next::Change) }
}

pub(super) fn completed(job: &str) -> Verdict {
    Verdict::ready(Reason::COMPLETED, format!("job {job} is completed"))
}

pub(super) fn canceled(job: &str) -> Verdict {
    Verdict::ready(Reason::CANCELED, format!("job {job} is cancelled"))
}

/// A failure in the words of its first time: those of the step or the job, or those of a run that has no job (any more).
fn failed(run: &MLRun, job: &str) -> Verdict {
    let status = run.status.as_ref();
    let Some(failure) = status.and_then(|status| status.failure.as_ref()) else {
        return Verdict::stalled(Reason::FAILED, format!("job {job} failed"));
    };
    let had_job = status.is_some_and(|status| status.studio_url.is_some());
    if !had_job || failure.code == Reason::JOB_GONE.word() {
        return Verdict::stalled(Word::passed_on(&failure.code), failure.message.clone());
    }
    let who = match &failure.step {
        Some(step) => format!("step {step} of job {job}"),
        None => format!("job {job}"),
    };
    Verdict::stalled(Reason::FAILED, format!("{who} failed: {}", failure.message))
}

pub(super) fn ended(status: &'static str, reason: Reason, message: &str) -> Vec<Extra> {
    vec![Extra { r#type: SUCCEEDED, status, reason, message: message.to_owned() }]
}

/// What is not known yet.
pub(super) fn unknown(reason: Reason, message: &str) -> Extra {
    Extra { r#type: SUCCEEDED, status: "Unknown", reason, message: message.to_owned() }
}

pub(super) const SUCCEEDED: &str = "Succeeded";
