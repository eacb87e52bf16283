//! The one list of jobs that serves all schedules of a workspace: later looks read only what is new, or still goes on.
//!
//! In: from when on jobs matter. Out: of each owner the newest jobs and those that go on. The order of the list is not recorded: it is
//! watched, and where the newest do not come first the list is read to its end.

use super::Looks;
use super::look::locked;
use super::made::{Reading, WorkspaceJobs, by_owner};
use azureml_client::budget::Urgency;
use azureml_client::client::{Asked, Client};
use azureml_client::turns::PAYER;
use azureml_client::{ArmId, Error};
use azureml_plan::owner::OWNER;
use azureml_plan::schedule::Listed;
use jiff::Timestamp;
use serde_json::value::RawValue;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// What the list is asked with: pipeline jobs that carry the property of an operator, archived ones too.
const QUERY: [(&str, &str); 3] = [("properties", OWNER), ("jobType", "Pipeline"), ("listViewType", "All")];
/// The most pages of one look.
const MOST_PAGES: usize = 100;
impl Looks {
    /// The jobs of a workspace since a moment, from a list that others read just now, or from a new one.
    ///
    /// # Errors
    /// When Azure refuses or does not answer.
    pub async fn jobs(
        &self,
        client: &Arc<Client>,
        workspace: &ArmId,
        since: Timestamp,
        urgency: Urgency,
    ) -> Result<Arc<WorkspaceJobs>, Error> {
        let waits = Instant::now();
        let key = (client.number, format!("{}/jobs", workspace.key()));
        let latest = self.jobs.latest(key);
        let mut latest = latest.lock().await;
        let is_fresh =
            |jobs: &&Arc<WorkspaceJobs>| jobs.began.elapsed() < self.jobs.fresh && jobs.asked <= since;
        if let Some(jobs) = latest.jobs.as_ref().filter(is_fresh) {
            return Ok(jobs.clone());
        }
        if let Some((_, error)) = latest.failed.as_ref().filter(|(at, _)| *at >= waits) {
            return Err(error.clone());
        }
        let turn = Arc::from(format!("{}/jobs", workspace.key()));
        let before = latest.jobs.clone();
        let read = PAYER.scope(turn, listed(client, (workspace, urgency), since, before.as_deref())).await;
        let jobs = Arc::new(read.inspect_err(|error| latest.failed = Some((Instant::now(), error.clone())))?);
        latest.jobs = Some(jobs.clone());
        Ok(jobs)
    }
}

/// Reads what is new, and adds what was known before.
async fn listed(
    client: &Client,
    (workspace, urgency): (&ArmId, Urgency),
    since: Timestamp,
    before: Option<&WorkspaceJobs>,
) -> Result<WorkspaceJobs, Error> {
    let began = Instant::now();
    // What an earlier look covers is read again only as far as it may have changed.
    let covering = before.filter(|before| before.asked <= since);
    let from = covering.and_then(WorkspaceJobs::read_from).unwrap_or(since);
    let reading = Mutex::new(Reading::of(from));
    let list = Asked { parent: workspace, collection: "jobs", query: &QUERY, urgency };
    let keep = |item: &RawValue| {
        locked(&reading).take(item.get());
        false
    };
    let is_enough = |pages: usize| pages >= MOST_PAGES || locked(&reading).is_past();
    let pages = client.pages_until(list, keep, is_enough).await?.pages;
    let mut reading = reading.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let is_whole = pages < MOST_PAGES || reading.is_past();
    let whole = match covering.and_then(|before| before.whole) {
        Some(whole) if is_whole => Some(whole),
        // What is further back is given up, and not read again at each look.
        _ if is_whole => Some(from),
        _ => reading.last.filter(|_| reading.is_ordered),
    };
    let asked = covering.map_or(since, |before| before.asked);
    let newest = [reading.newest, before.and_then(|before| before.newest)].into_iter().flatten().max();
    let is_old = |job: &&Listed| !is_whole || job.made < from;
    reading.jobs.extend(
        before.into_iter().flat_map(|before| before.owners.values().flatten()).filter(is_old).cloned(),
    );
    Ok(WorkspaceJobs { began, asked, whole, newest, owners: by_owner(reading.jobs) })
}
