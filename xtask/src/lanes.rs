//! Runs commands side by side, as many at once as there are lanes, and prints what each said when it has ended, whole.
//! In: commands, each of some step, those that take longest first, and a folder for what they say meanwhile. Out: how each
//! went. May not know what a step does.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use azureml_control_plane::progress::Beat;

use crate::tools;

/// One command of a step.
pub struct Task {
    pub step: &'static str,
    pub command: Command,
}

/// How it went.
pub struct Done {
    pub step: &'static str,
    pub took: Duration,
    pub result: anyhow::Result<()>,
}

/// Runs all of them; after a failure only what has begun, unless it is to go on.
pub fn run(tasks: Vec<Task>, folder: &Path, lanes: usize, keep_going: bool) -> Vec<Done> {
    let (waiting, done) = (Mutex::new(VecDeque::from(tasks)), Mutex::new(Vec::new()));
    let running = Running::default();
    thread::scope(|scope| {
        let (printed, heard) = mpsc::channel();
        let shown = &running;
        scope.spawn(move || say(shown, &heard));
        for _ in 0..lanes {
            let (printed, waiting, done, running) = (printed.clone(), &waiting, &done, &running);
            scope.spawn(move || {
                // The guard of the queue ends with this statement, before the command runs.
                while let Some(task) = { held(waiting).pop_front() } {
                    let one = carry_out(task, folder, running, &printed);
                    if one.result.is_err() && !keep_going {
                        held(waiting).clear();
                    }
                    held(done).push(one);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What runs now: its step, its last argument, and since when.
type Running = Mutex<Vec<(String, Instant)>>;

/// Says what runs where nothing was printed for a while, until no lane prints any more.
fn say(running: &Running, printed: &Receiver<()>) {
    let (began, mut beat) = (Instant::now(), Beat::default());
    loop {
        match printed.recv_timeout(beat.left(began.elapsed())) {
            Ok(()) => beat.heard(began.elapsed()),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) if beat.due(began.elapsed()) => {
                println!("--- running: {}", list(&held(running), Instant::now()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn list(running: &[(String, Instant)], now: Instant) -> String {
    let one = |(name, since): &(String, Instant)| {
        format!("{name} ({} s)", now.saturating_duration_since(*since).as_secs())
    };
    running.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn carry_out(
    Task { step, mut command }: Task,
    folder: &Path,
    running: &Running,
    printed: &Sender<()>,
) -> Done {
    let (line, path) = (tools::line(&command), place(step, &command, folder));
    println!("--- {step}: $ {line} > {}", path.display());
    let (name, started) =
        (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), Instant::now());
    held(running).push((name.clone(), started));
    let _ = printed.send(());
    let (said, result) = captured(&mut command, &path).unwrap_or_else(|error| (Vec::new(), Err(error)));
    let took = started.elapsed();
    held(running).retain(|(other, since)| (other, since) != (&name, &started));
    show(step, &line, took, &said);
    let _ = printed.send(());
    Done { step, took, result }
}

/// Where it says what it says: by its step and its last argument.
fn place(step: &str, command: &Command, folder: &Path) -> PathBuf {
    let last = command.get_args().last().unwrap_or(command.get_program()).to_string_lossy();
    let name: String =
        last.chars().filter(|letter| letter.is_alphanumeric() || "_-".contains(*letter)).collect();
    folder.join(format!("{step}-{}.log", name.trim_start_matches('-')))
}

/// What it said, in the order in which it said it, and how it ended. Into a file: somebody who waits for it can look, and a pipe would
/// stay open for as long as anything that the command started and left behind.
fn captured(command: &mut Command, path: &Path) -> anyhow::Result<(Vec<u8>, anyhow::Result<()>)> {
    let failed = || format!("failed to write {}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).with_context(failed)?;
    let file = File::create(path).with_context(failed)?;
    let copy = |file: &File| file.try_clone().with_context(failed);
    command.stdout(copy(&file)?).stderr(copy(&file)?);
    let result = tools::attached(command);
    let said = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    Ok((said, result))
}

/// All at once, so that the outputs of two commands do not mix.
fn show(step: &str, line: &str, took: Duration, said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    print!("\n--- {step}: after {:.1} s, `{line}` has said:\n{said}", took.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(step: &'static str, script: &str) -> Task {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Task { step, command }
    }

    #[test]
    fn output_is_kept_in_its_order_and_does_not_wait_for_what_was_left_behind() {
        let mut command =
            task("a", "echo out; echo err >&2; echo out; exec sleep 600 & echo $! >&2; exit 3").command;
        let folder = tempfile::tempdir().unwrap();
        let path = place("a", &command, &folder.path().join("new"));
        let (said, result) = captured(&mut command, &path).unwrap();
        let said = String::from_utf8(said).unwrap();
        let left = said.lines().last().unwrap();
        assert!(Command::new("kill").arg(left).status().unwrap().success());
        assert_eq!(said, format!("out\nerr\nout\n{left}\n"));
        assert!(result.unwrap_err().to_string().contains("exit status: 3"));
    }

    #[test]
    fn two_lanes_run_two_commands_at_once() {
        let folder = tempfile::tempdir().unwrap();
        // Each ends only when the other has begun.
        let meet = |mine: &str, other: &str| {
            let (mine, other) = (folder.path().join(mine), folder.path().join(other));
            let (mine, other) = (mine.display(), other.display());
            format!("touch {mine}; for i in $(seq 300); do [ -e {other} ] && exit 0; sleep 0.1; done; exit 1")
        };
        let tasks = vec![task("a", &meet("a", "b")), task("b", &meet("b", "a"))];
        let done = run(tasks, folder.path(), 2, false);
        assert!(done.len() == 2 && done.iter().all(|one| one.result.is_ok()));
    }

    #[test]
    fn what_runs_is_said_with_its_times() {
        let now = Instant::now();
        let since = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        let running = [("end-to-end-story".to_owned(), since(40)), ("node-pods".to_owned(), since(5))];
        assert_eq!(list(&running, now), "end-to-end-story (40 s), node-pods (5 s)");
    }

    #[test]
    fn after_a_failure_nothing_new_begins_unless_it_is_to_go_on() {
        let tasks =
            || vec![task("a", "exit 1"), task("b", "exit 0"), task("no-such", "exec no-such-program")];
        let folder = tempfile::tempdir().unwrap();
        let steps = |keep_going| {
            run(tasks(), folder.path(), 1, keep_going).iter().map(|one| one.step).collect::<Vec<_>>()
        };
        assert_eq!(steps(false), ["a"]);
        assert_eq!(steps(true), ["a", "b", "no-such"]);
    }
}
