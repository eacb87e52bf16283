//! Jobs whose steps could not be read: when they are tried again, ever less often. A process that starts tries each once more.
//!
//! In: ids of jobs, and causes. Out: the cause, while it is too early for another try. Never reads.

use super::look::locked;
use azureml_client::ArmId;
use azureml_client::kept::Kept;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// The delay after the first try; it doubles from there.
const FIRST: Duration = Duration::from_secs(15);
/// So often it doubles: to about an hour.
const DOUBLINGS: u32 = 8;
/// As many jobs are remembered.
const MOST: usize = 10_000;
/// Longer than the longest delay.
const UNUSED: Duration = Duration::from_hours(6);

/// A job that could not be read.
#[derive(Debug)]
struct Try {
    at: Option<Instant>,
    count: u32,
    cause: String,
}

/// What could not be read.
#[derive(Debug)]
pub(super) struct Unread(Mutex<Kept<String, Try>>);

impl Default for Unread {
    fn default() -> Self {
        Self(Mutex::new(Kept::new(UNUSED).at_most(MOST)))
    }
}

impl Unread {
    /// Why the steps of a job could not be read, while it is too early to try again.
    pub(super) fn cause(&self, job: &ArmId) -> Option<String> {
        let mut all = locked(&self.0);
        let last = all.get(&job.key())?;
        let delay = FIRST.saturating_mul(1 << last.count.saturating_sub(1).min(DOUBLINGS));
        last.at.filter(|at| at.elapsed() < delay).map(|_| last.cause.clone())
    }

    /// The steps of a job could not be read.
    pub(super) fn note(&self, job: &ArmId, cause: &str) {
        let mut all = locked(&self.0);
        let none = || Try { at: None, count: 0, cause: String::new() };
        let last = all.get_or_insert_mut::<str>(&job.key(), none);
        *last =
            Try { at: Some(Instant::now()), count: last.count.saturating_add(1), cause: cause.to_owned() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_read_is_tried_again_after_delays_that_double() {
        let unread = Unread::default();
        let job = ArmId::workspace("s", "g", "w").child("jobs", "j");
        assert_eq!(unread.cause(&job), None);
        for seconds in [15, 30, 60, 120, 240, 480, 960, 1_920, 3_840, 3_840] {
            unread.note(&job, "429");
            tokio::time::advance(Duration::from_millis(seconds * 1000 - 1)).await;
            assert_eq!(unread.cause(&job).as_deref(), Some("429"), "{seconds}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!(unread.cause(&job), None, "{seconds}");
        }
    }
}
