//! The last runs of a schedule: those that `status` tells, with what was seen of its jobs since.
//!
//! In: runs, jobs, the time. Out: runs, and those of them whose end is news. A run that has ended is believed and never read again.

use super::listed::{History, Jobs, Listed};
use crate::failure::whole_seconds;
use crate::reasons::Reason;
use crate::run::why_failed;
use azureml_client::ArmId;
use azureml_crds::MLSchedule;
use azureml_crds::ml_run::{Failure, Phase};
use azureml_crds::ml_schedule::{KEPT, ScheduledRun};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The runs that `status` tells.
#[must_use]
pub fn told(schedule: &MLSchedule) -> &[ScheduledRun] {
    schedule.status.as_ref().map_or(&[], |status| &status.runs)
}

/// Whether a run failed, and why is still to be read.
#[must_use]
pub fn is_unread(run: &ScheduledRun) -> bool {
    run.failure.as_ref().is_some_and(|failure| failure.code == Reason::RUNS_UNREAD.word())
}

/// From when on jobs have to be looked at: the oldest that goes on or was not read, else the newest that is known, else all of the object's life.
#[must_use]
pub fn since(schedule: &MLSchedule) -> Timestamp {
    let runs = told(schedule);
    let open =
        runs.iter().filter(|run| !run.phase.is_finished() || is_unread(run)).map(|run| run.fired_at.0).min();
    let born = schedule.metadata.creation_timestamp.as_ref().map(|time| time.0);
    open.or(runs.first().map(|run| run.fired_at.0)).or(born).unwrap_or(Timestamp::MIN)
}

/// The jobs that failed and whose steps are still to be read. Of a schedule that tells no run yet it is the newest job alone.
#[must_use]
pub fn unexplained<'a>(schedule: &MLSchedule, listed: &'a [Listed]) -> Vec<&'a Listed> {
    let runs = told(schedule);
    let is_told = |job: &Listed| {
        runs.iter().any(|run| run.job_name == job.name && run.phase.is_finished() && !is_unread(run))
            || (runs.is_empty() && listed.iter().any(|other| other.made > job.made))
    };
    listed.iter().filter(|job| job.phase == Phase::Failed && !is_told(job)).collect()
}

/// The runs after a look, the newest first.
#[must_use]
pub fn merged(before: &[ScheduledRun], jobs: &Jobs, component: &ArmId, now: Timestamp) -> Vec<ScheduledRun> {
    let known = |job: &Listed| before.iter().find(|run| run.job_name == job.name);
    let seen = jobs.listed.iter().map(|job| match known(job) {
        Some(run) if is_unread(run) && is_read(jobs, job) => {
            ScheduledRun { failure: Some(failure(job, jobs, component)), ..run.clone() }
        }
        Some(run) if run.phase.is_finished() => run.clone(),
        known => run(job, known.is_some(), jobs, component, now),
    });
    let unlisted = |run: &&ScheduledRun| jobs.listed.iter().all(|job| job.name != run.job_name);
    let runs: Vec<ScheduledRun> = seen
        .chain(before.iter().filter(unlisted).map(|run| match jobs.since {
            Some(since) if !run.phase.is_finished() && since <= run.fired_at.0 => gone(run, now),
            _ => run.clone(),
        }))
        .collect();
    newest(runs)
}

/// Whether it was read why a job failed.
fn is_read(jobs: &Jobs, job: &Listed) -> bool {
    matches!(jobs.history.get(&job.name), Some(History::Read { .. }))
}

/// As many runs as `status` tells, the newest first.
#[must_use]
pub fn newest(mut runs: Vec<ScheduledRun>) -> Vec<ScheduledRun> {
    runs.sort_by(|one, other| (other.fired_at.0, name(other)).cmp(&(one.fired_at.0, name(one))));
    runs.truncate(KEPT);
    runs
}

/// By which a run is known: its MLRun, else its job.
fn name(run: &ScheduledRun) -> &str {
    run.run.as_deref().unwrap_or(&run.job_name)
}

/// A run whose job is listed.
fn run(job: &Listed, was_open: bool, jobs: &Jobs, component: &ArmId, now: Timestamp) -> ScheduledRun {
    let is_over = job.phase.is_finished();
    // A cancelled job tells no times: its end was seen just now, or nobody knows it.
    let ended = job.ended.or_else(|| was_open.then_some(now)).filter(|_| is_over);
    let started = job.started.filter(|_| is_over);
    let time = |moment: Option<Timestamp>| moment.map(|moment| Time(whole_seconds(moment)));
    ScheduledRun {
        run: None,
        job_name: job.name.chars().take(255).collect(),
        fired_at: Time(whole_seconds(job.made)),
        phase: job.phase,
        started_at: time(started),
        finished_at: time(ended),
        duration_seconds: started.zip(ended).map(|(from, to)| to.duration_since(from).as_secs()),
        failure: (job.phase == Phase::Failed).then(|| failure(job, jobs, component)),
        studio_url: job.studio.clone().filter(|url| url.len() <= 2048),
    }
}

/// Why a job failed, as far as it was read.
fn failure(job: &Listed, jobs: &Jobs, component: &ArmId) -> Failure {
    let own = job.component.as_deref().and_then(|id| ArmId::parse(id).ok());
    match jobs.history.get(&job.name) {
        Some(History::Read { children, details }) => {
            why_failed(own.as_ref().unwrap_or(component), children, details.as_ref())
        }
        Some(History::Unread(cause)) => {
            let message = format!("look at the job in studio; its steps could not be read here yet: {cause}");
            Failure {
                step: None,
                code: Reason::RUNS_UNREAD.to_string(),
                message: message.chars().take(4096).collect(),
            }
        }
        None => why_failed(component, &[], None),
    }
}

/// A run whose job was deleted before its end was seen.
fn gone(run: &ScheduledRun, now: Timestamp) -> ScheduledRun {
    let message = "the job was deleted in Azure before its end was seen".to_owned();
    ScheduledRun {
        phase: Phase::Failed,
        finished_at: Some(Time(whole_seconds(now))),
        failure: Some(Failure { step: None, code: Reason::JOB_GONE.to_string(), message }),
        ..run.clone()
    }
}

/// The runs whose end is news, the oldest first. Where nothing was told before, it is the newest end alone: what was long before this
/// object, or this version of the operator, is none.
#[must_use]
pub fn ended<'a>(before: &[ScheduledRun], after: &'a [ScheduledRun]) -> Vec<&'a ScheduledRun> {
    let was_over =
        |run: &ScheduledRun| before.iter().any(|other| name(other) == name(run) && other.phase.is_finished());
    let news = after.iter().filter(|run| run.phase.is_finished() && !was_over(run));
    let most = if before.is_empty() { 1 } else { usize::MAX };
    let mut news: Vec<&ScheduledRun> = news.take(most).collect();
    news.reverse();
    news
}

/// The runs that failed before, and of which it was read only now why.
#[must_use]
pub fn explained<'a>(before: &[ScheduledRun], after: &'a [ScheduledRun]) -> Vec<&'a ScheduledRun> {
    let was_unread =
        |run: &ScheduledRun| before.iter().any(|other| name(other) == name(run) && is_unread(other));
    after.iter().filter(|run| was_unread(run) && !is_unread(run)).collect()
}

/// When a run succeeded last.
#[must_use]
pub fn last_success(before: Option<&Time>, runs: &[ScheduledRun]) -> Option<Time> {
    let succeeded = runs.iter().filter(|run| run.phase == Phase::Succeeded);
    let ends = succeeded.map(|run| run.finished_at.as_ref().unwrap_or(&run.fired_at));
    ends.chain(before).max_by_key(|time| time.0).cloned()
}

#[cfg(test)]
mod tests;
