//! Runs commands side by side, as many at once as there are lanes, and prints what each said when it has ended, whole.
//! In: commands, each of some step, those that take longest first. Out: how each went. May not know what a step does.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

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
pub fn run(tasks: Vec<Task>, lanes: usize, keep_going: bool) -> Vec<Done> {
    let (waiting, done) = (Mutex::new(VecDeque::from(tasks)), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                // The guard of the queue ends with this statement, before the command runs.
                while let Some(task) = { held(&waiting).pop_front() } {
                    let one = carry_out(task);
                    if one.result.is_err() && !keep_going {
                        held(&waiting).clear();
                    }
                    held(&done).push(one);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn carry_out(Task { step, mut command }: Task) -> Done {
    let line = tools::line(&command);
    println!("--- {step}: $ {line}");
    let started = Instant::now();
    let (said, result) = match captured(&mut command) {
        Ok((said, result)) => (said, result),
        Err(error) => (Vec::new(), Err(error)),
    };
    let took = started.elapsed();
    show(step, &line, took, &said);
    Done { step, took, result }
}

/// What it said, in the order in which it said it, and how it ended. Into a file, since a pipe would stay open for as
/// long as anything that the command started and left behind.
fn captured(command: &mut Command) -> anyhow::Result<(Vec<u8>, anyhow::Result<()>)> {
    let mut file = tempfile::tempfile().context("failed to make a file for the output of a command")?;
    let copy = |file: &File| file.try_clone().context("failed to share the file for the output of a command");
    command.stdout(copy(&file)?).stderr(copy(&file)?);
    let result = tools::run(command);
    let mut said = Vec::new();
    file.rewind()
        .and_then(|()| file.read_to_end(&mut said))
        .context("failed to read the output of a command")?;
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
        let (said, result) = captured(&mut command).unwrap();
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
        let done = run(vec![task("a", &meet("a", "b")), task("b", &meet("b", "a"))], 2, false);
        assert!(done.len() == 2 && done.iter().all(|one| one.result.is_ok()));
    }

    #[test]
    fn after_a_failure_nothing_new_begins_unless_it_is_to_go_on() {
        let tasks =
            || vec![task("a", "exit 1"), task("b", "exit 0"), task("no-such", "exec no-such-program")];
        let steps = |keep_going| run(tasks(), 1, keep_going).iter().map(|one| one.step).collect::<Vec<_>>();
        assert_eq!(steps(false), ["a"]);
        assert_eq!(steps(true), ["a", "b", "no-such"]);
    }
}
