//! What an MLSchedule sees of its jobs: those of the list that all schedules of a workspace share, and why one failed.
//!
//! In: a schedule, and since when its jobs matter. Out: jobs. Jobs that cannot be read are no failure of the schedule.

use crate::Eyes;
use crate::history::{self, data_plane};
use crate::looks::Look;
use azureml_client::{ArmId, Class, Error};
use azureml_crds::MLSchedule;
use azureml_plan::run::tells_why;
use azureml_plan::schedule::{History, Jobs, Refs, since, unexplained};
use azureml_plan::trouble::Trouble;

/// The jobs of a schedule.
pub(crate) async fn jobs(schedule: &MLSchedule, eyes: &Eyes<'_>, refs: &Refs, look: Look) -> Jobs {
    let read = eyes.looks.jobs(eyes.client, &refs.workspace.id, since(schedule), look.urgency()).await;
    let all = match read {
        Ok(all) => all,
        Err(error) => return unread(&error),
    };
    let listed = all.of(&refs.owner.value()).to_vec();
    let mut jobs = Jobs { since: all.since(), listed, ..Jobs::default() };
    for job in unexplained(schedule, &jobs.listed) {
        let id = refs.workspace.id.child("jobs", &job.name);
        let history = match eyes.looks.unread(&id) {
            Some(cause) => History::Unread(cause),
            None => explained(eyes, refs, &id).await.unwrap_or_else(|error| {
                let cause = Trouble::of(&error).message;
                eyes.looks.note_unread(&id, &cause);
                History::Unread(cause)
            }),
        };
        jobs.history.insert(job.name.clone(), history);
    }
    jobs
}

/// What is said where jobs cannot be listed: a missing right is the schedule's to tell, anything else passes.
fn unread(error: &Error) -> Jobs {
    let trouble = Trouble::of(error);
    tracing::warn!(reason = trouble.reason.as_str(), "jobs cannot be listed: {}", trouble.message);
    let is_refused = trouble.class == Class::Forbidden;
    Jobs { refused: is_refused.then_some(trouble.message), ..Jobs::default() }
}

/// The steps of a job that failed; the run itself only where no step says why.
async fn explained(eyes: &Eyes<'_>, refs: &Refs, id: &ArmId) -> Result<History, Error> {
    let history = history::History { client: eyes.client, base: data_plane(&refs.workspace)?, id };
    let children = history.children().await?;
    let details = if tells_why(&children) { None } else { history.details().await? };
    Ok(History::Read { children, details })
}
