//! What was sent to Azure and written to Kubernetes, in one order and with its time on the clock of the test.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Something that was sent or written.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// When, since the start of the test.
    pub at: Duration,
    /// `PUT computes/cpu` of Azure, `status MLCompute/cpu Creating` of Kubernetes.
    pub what: String,
    /// How Azure answered; none while it has not.
    pub status: Option<u16>,
    /// The body of the request, or the status that was written.
    pub body: Value,
}

/// The longest that anything is waited for, on a clock that costs nothing.
const PATIENCE: Duration = Duration::from_hours(6);

/// All of it.
#[derive(Clone)]
pub(super) struct Journal {
    start: Instant,
    lines: Arc<Mutex<Vec<Line>>>,
    changes: Arc<watch::Sender<()>>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { start: Instant::now(), lines: Arc::default(), changes: Arc::default() }
    }
}

impl Journal {
    /// Adds a line, and gives its place.
    pub(super) fn add(&self, what: String, body: Value) -> usize {
        let mut lines = self.locked();
        lines.push(Line { at: self.start.elapsed(), what, status: None, body });
        let place = lines.len() - 1;
        drop(lines);
        self.changes.send_replace(());
        place
    }

    /// Azure has answered.
    pub(super) fn answered(&self, place: usize, status: u16) {
        self.locked()[place].status = Some(status);
        self.changes.send_replace(());
    }

    /// The lines that begin so.
    pub(super) fn of(&self, what: &str) -> Vec<Line> {
        self.locked().iter().filter(|line| line.what.starts_with(what)).cloned().collect()
    }

    /// What changed something, from a place on, with repetitions left out.
    pub(super) fn writes(&self, from: usize) -> Vec<String> {
        let lines = self.locked();
        let is_write = |what: &str| {
            !["GET", "HEAD", "event"].iter().any(|read| what.starts_with(read)) && !what.contains("/oauth2/")
        };
        let written = lines[from..].iter().filter(|line| is_write(&line.what));
        let mut all: Vec<String> = written.map(|line| line.what.clone()).collect();
        all.dedup();
        all
    }

    /// The requests to Azure from a place on, without those for tokens.
    pub(super) fn azure(&self, from: usize) -> Vec<String> {
        let lines = self.locked();
        let is_it =
            |line: &&Line| line.what.starts_with(char::is_uppercase) && !line.what.contains("/oauth2/");
        lines[from..].iter().filter(is_it).map(|line| line.what.clone()).collect()
    }

    /// How much time has passed.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Where it ends now.
    pub(super) fn end(&self) -> usize {
        self.locked().len()
    }

    /// Waits until something is found, looking after every line.
    pub(super) async fn until<T>(&self, what: &str, mut find: impl FnMut(&[Line]) -> Option<T>) -> Result<T> {
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                if let Some(found) = find(&self.locked()) {
                    return found;
                }
                let _ = changes.changed().await;
            }
        };
        timeout(PATIENCE, found).await.with_context(|| format!("not {what}:{}", self.shown()))
    }

    /// The end of it, for messages.
    pub(super) fn shown(&self) -> String {
        let lines = self.locked();
        lines[lines.len().saturating_sub(80)..].iter().fold(String::new(), |mut text, line| {
            let status = line.status.map(|status| status.to_string()).unwrap_or_default();
            let _ = write!(text, "\n{:>10.3} {} {status}", line.at.as_secs_f64(), line.what);
            text
        })
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
