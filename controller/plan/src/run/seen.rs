//! What Azure has of a run, and the phase that it means.

use azureml_crds::MLRun;
use azureml_crds::ml_run::Phase;
use serde_json::Value;

/// What Azure has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The job.
    pub job: Option<Value>,
    /// The steps of the run, from run history; not looked at in every pass.
    pub children: Option<Vec<Value>>,
    /// The run itself, from run history; looked at once, at the end.
    pub details: Option<Value>,
    /// Whether another job was made after this one that failed; looked at where the run was restored.
    pub is_followed: bool,
}

/// The phase that a job's or step's status means; none for a word that says nothing.
#[must_use]
pub fn phase(status: &str) -> Option<Phase> {
    match status {
        "NotStarted" => Some(Phase::Pending),
        "Queued" => Some(Phase::Queued),
        "Starting" | "Provisioning" | "Preparing" => Some(Phase::Preparing),
        "Running" => Some(Phase::Running),
        "Finalizing" | "CancelRequested" => Some(Phase::Finalizing),
        "Completed" | "Finished" => Some(Phase::Succeeded),
        "Failed" => Some(Phase::Failed),
        "Canceled" => Some(Phase::Canceled),
        _ => None,
    }
}

/// The phase of the job; the one before where its status says nothing.
#[must_use]
pub fn job_phase(run: &MLRun, job: &Value) -> Phase {
    let before = run.status.as_ref().and_then(|status| status.phase);
    let word = job["properties"]["status"].as_str().unwrap_or_default();
    phase(word).or(before).unwrap_or(Phase::Pending)
}
