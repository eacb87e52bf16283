//! Words for people who wait: something is said before 15 s of silence are over.
//! In: what goes on, and when something was said last. Out: lines on standard error.
//! The rule is [`Beat`], which has no clock of its own; [`during`] and [`waiting`] apply it to work and to futures.

use std::io::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest silence that anything of ours may keep.
pub const SILENCE: Duration = Duration::from_secs(15);
/// Sooner than that, since a busy machine wakes us late.
const EVERY: Duration = Duration::from_secs(10);

/// When the next word is due. Every time is counted from the beginning of what goes on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beat {
    spoke: Duration,
}

impl Beat {
    /// Something was printed at this time, by any part.
    pub fn heard(&mut self, at: Duration) {
        self.spoke = self.spoke.max(at);
    }

    /// How long one may wait from this time on before it is looked again whether a word is due.
    #[must_use]
    pub fn left(&self, at: Duration) -> Duration {
        (self.spoke + EVERY).saturating_sub(at)
    }

    /// Whether a word is due; it then counts as said.
    pub fn due(&mut self, at: Duration) -> bool {
        let is_due = self.left(at).is_zero();
        if is_due {
            self.heard(at);
        }
        is_due
    }
}

/// Does some work, and says now and then that it goes on, and for how long.
pub fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (working, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || beat(&ended, &mut |seconds| say(what, seconds)));
        let done = work();
        drop(working);
        done
    })
}

/// Speaks until the other end is dropped.
fn beat(ended: &mpsc::Receiver<()>, speak: &mut dyn FnMut(u64)) {
    let (began, mut beat) = (Instant::now(), Beat::default());
    while ended.recv_timeout(beat.left(began.elapsed())) == Err(RecvTimeoutError::Timeout) {
        if beat.due(began.elapsed()) {
            speak(began.elapsed().as_secs());
        }
    }
}

/// Waits for a future, and says now and then that it goes on, and for how long.
pub fn waiting<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    // On the heap: what is waited for are whole stories.
    let mut future = Box::pin(future);
    async move {
        let (began, mut beat) = (Instant::now(), Beat::default());
        loop {
            match tokio::time::timeout(beat.left(began.elapsed()), &mut future).await {
                Ok(done) => return done,
                Err(_) if beat.due(began.elapsed()) => say(what, began.elapsed().as_secs()),
                Err(_) => {}
            }
        }
    }
}

/// Past the test harness, which would hold it back until a test has failed.
fn say(what: &str, seconds: u64) {
    let _ = writeln!(std::io::stderr(), "{what}: {seconds} s so far");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is heard while lines come at these times, and a busy machine wakes the watcher this much too late.
    fn longest_silence(mut lines: Vec<Duration>, end: Duration, late: Duration) -> Duration {
        let (mut now, mut spoken, mut beat) = (Duration::ZERO, vec![Duration::ZERO], Beat::default());
        lines.reverse();
        while now < end {
            let wakes = now + beat.left(now) + late;
            if let Some(line) = lines.pop_if(|line| *line <= wakes) {
                now = line.max(now);
                beat.heard(now);
                spoken.push(now);
                continue;
            }
            now = wakes;
            if beat.due(now) {
                spoken.push(now);
            }
        }
        spoken.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or_default()
    }

    #[test]
    fn no_silence_is_longer_than_fifteen_seconds_whenever_lines_come() {
        let end = Duration::from_mins(10);
        for late in [0, 1, 4] {
            let late = Duration::from_secs(late);
            for gap in [1_u64, 7, 9, 10, 11, 14, 15, 16, 29, 31, 600] {
                let lines = (1..=600 / gap).map(|number| Duration::from_secs(gap * number)).collect();
                let silence = longest_silence(lines, end, late);
                assert!(silence < SILENCE, "{silence:?} with a line each {gap} s, {late:?} late");
            }
            assert!(longest_silence(Vec::new(), end, late) < SILENCE);
        }
    }

    #[test]
    fn nothing_is_said_where_enough_is_printed() {
        let mut beat = Beat::default();
        for second in 1..100 {
            let at = Duration::from_secs(second);
            assert!(!beat.due(at));
            beat.heard(at);
        }
        assert!(beat.due(Duration::from_secs(99) + EVERY));
        assert!(!beat.due(Duration::from_secs(100) + EVERY), "it counts as said");
    }

    #[test]
    fn the_watcher_of_work_ends_with_it() {
        assert_eq!(during("nothing", || 7), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_future_is_waited_for_beyond_many_words() {
        let long = async {
            tokio::time::timeout(Duration::from_mins(2), std::future::pending::<()>()).await.is_err()
        };
        assert!(waiting("a future", long).await);
    }
}
