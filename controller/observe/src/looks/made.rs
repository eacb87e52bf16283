//! The jobs of a workspace that operators made, by their owners: what was read of them. Data alone; `jobs` asks Azure for them.

use super::look::locked;
use azureml_client::Error;
use azureml_client::kept::Kept;
use azureml_crds::ml_schedule::KEPT;
use azureml_plan::schedule::{Listed, read};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Jobs that were made so long before the newest may not have been listed yet when that one was.
const LATE: SignedDuration = SignedDuration::from_mins(10);
/// A job that was made so long before the newest, and still goes on, is not read again: else one that never ends has all be read.
const LONG: SignedDuration = SignedDuration::from_hours(72);

/// The jobs of a workspace.
#[derive(Debug)]
pub struct WorkspaceJobs {
    pub(super) began: Instant,
    /// From when on jobs were asked for.
    pub(super) asked: Timestamp,
    /// From when on every job is here.
    pub(super) whole: Option<Timestamp>,
    pub(super) newest: Option<Timestamp>,
    pub(super) owners: HashMap<String, Vec<Listed>>,
}

impl WorkspaceJobs {
    /// The jobs of an owner, the newest first.
    #[must_use]
    pub fn of(&self, owner: &str) -> &[Listed] {
        self.owners.get(owner).map_or(&[], Vec::as_slice)
    }

    /// From when on every job is here; none where the list was too long.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.whole
    }

    /// When the oldest job was made that goes on, of those since a moment.
    fn oldest_open(&self, since: Timestamp) -> Option<Timestamp> {
        let jobs = self.owners.values().flatten();
        let open = jobs.filter(|job| !job.phase.is_finished()).map(|job| job.made);
        open.filter(|made| *made >= since).min()
    }

    /// From when on a later look has to read.
    pub(super) fn read_from(&self) -> Option<Timestamp> {
        let newest = self.whole.and(self.newest)?;
        let from = newest - LATE;
        Some(self.oldest_open(newest - LONG).map_or(from, |open| from.min(open)))
    }
}

/// The latest list of a workspace, and the latest that failed.
#[derive(Default)]
pub(super) struct Latest {
    pub jobs: Option<Arc<WorkspaceJobs>>,
    pub failed: Option<(Instant, Error)>,
}

/// What was read of one workspace; each reader waits for its turn.
type Shared = Arc<tokio::sync::Mutex<Latest>>;

/// The lists of all workspaces, by who asks.
pub(super) struct Lists {
    kept: Mutex<Kept<(u64, String), Shared>>,
    /// How long a list serves.
    pub fresh: Duration,
}

impl Lists {
    pub(super) fn new(unused: Duration, fresh: Duration) -> Self {
        Self { kept: Mutex::new(Kept::new(unused)), fresh }
    }

    /// The latest list for a key.
    pub(super) fn latest(&self, key: (u64, String)) -> Arc<tokio::sync::Mutex<Latest>> {
        locked(&self.kept).get_or_insert_with(key, Arc::default).clone()
    }
}

/// What is read of a list.
pub(super) struct Reading {
    pub from: Timestamp,
    pub jobs: Vec<Listed>,
    pub newest: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub is_ordered: bool,
}

impl Reading {
    pub fn of(from: Timestamp) -> Self {
        Self { from, jobs: Vec::new(), newest: None, last: None, is_ordered: true }
    }

    /// An item of the list. One that cannot be read is none of ours: ours are as they were sent.
    pub fn take(&mut self, item: &str) {
        let Some((made, job)) = read(item) else { return };
        self.is_ordered &= self.last.is_none_or(|last| made <= last);
        self.last = Some(made);
        self.newest = self.newest.max(Some(made));
        self.jobs.extend(job);
    }

    /// Whether all that follows is too old.
    pub fn is_past(&self) -> bool {
        self.is_ordered && self.last.is_some_and(|last| last < self.from)
    }
}

/// Of each owner the newest jobs, and those that go on. The first of equal names counts.
pub(super) fn by_owner(jobs: Vec<Listed>) -> HashMap<String, Vec<Listed>> {
    let mut owners: HashMap<String, Vec<Listed>> = HashMap::new();
    for job in jobs {
        let all = owners.entry(job.owner.clone()).or_default();
        if all.iter().all(|other| other.name != job.name) {
            all.push(job);
        }
    }
    for all in owners.values_mut() {
        all.sort_by(|one, other| (other.made, &other.name).cmp(&(one.made, &one.name)));
        let mut place = 0;
        all.retain(|job| {
            place += 1;
            place <= KEPT || !job.phase.is_finished()
        });
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;
    use azureml_plan::owner::OWNER;
    use serde_json::json;

    fn item(name: &str, minute: u8, status: &str) -> String {
        json!({"name": name, "systemData": {"createdAt": format!("2026-01-05T06:{minute:02}:00Z")},
            "properties": {"status": status, "properties": {OWNER: "c/1"}}})
        .to_string()
    }

    fn minute(minute: u8) -> Timestamp {
        format!("2026-01-05T06:{minute:02}:00Z").parse().unwrap()
    }

    #[test]
    fn reading_ends_behind_what_matters_only_where_the_newest_come_first() {
        let mut reading = Reading::of(minute(10));
        for (name, at) in [("c", 12), ("b", 10), ("a", 9)] {
            assert!(!reading.is_past());
            reading.take(&item(name, at, "Completed"));
        }
        assert!(reading.is_past());
        let mut reading = Reading::of(minute(10));
        for (name, at) in [("a", 9), ("c", 12), ("b", 3)] {
            reading.take(&item(name, at, "Completed"));
        }
        assert!(!reading.is_past() && reading.newest == Some(minute(12)));
    }

    #[test]
    fn the_newest_jobs_of_an_owner_are_kept_and_all_that_go_on() {
        let mut reading = Reading::of(minute(0));
        reading.take(&item("open", 0, "Running"));
        for at in 1..10 {
            reading.take(&item(&format!("j{at}"), at, "Completed"));
        }
        reading.take(&item("j9", 9, "Running"));
        let owners = by_owner(reading.jobs);
        let names: Vec<&str> = owners["c/1"].iter().map(|job| job.name.as_str()).collect();
        assert_eq!(names, ["j9", "j8", "j7", "j6", "j5", "open"]);
        assert!(owners["c/1"][0].phase.is_finished(), "what was read last comes first in the list of a look");
    }

    #[test]
    fn a_later_look_reads_from_the_oldest_that_goes_on() {
        let mut reading = Reading::of(minute(0));
        reading.take(&item("new", 50, "Completed"));
        reading.take(&item("open", 5, "Running"));
        let jobs = |owners, newest| WorkspaceJobs {
            began: Instant::now(),
            asked: minute(0),
            whole: Some(minute(0)),
            newest: Some(newest),
            owners,
        };
        let owners = by_owner(reading.jobs);
        assert_eq!(jobs(owners.clone(), minute(50)).read_from(), Some(minute(5)));
        assert_eq!(jobs(HashMap::new(), minute(50)).read_from(), Some(minute(40)));
        let later = |hours| minute(5) + SignedDuration::from_hours(hours);
        assert_eq!(jobs(owners.clone(), later(72)).read_from(), Some(minute(5)));
        assert_eq!(jobs(owners, later(73)).read_from(), Some(later(73) - LATE), "it may never end");
    }
}
