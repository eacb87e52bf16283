//! One program of the control plane with its log, and the wait until it is ready.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::guard::Guarded;
use crate::state::State;

/// Ten times what a start takes on a busy machine.
const WITHIN: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(25);
const TAIL: usize = 20;

#[derive(Debug)]
pub(crate) struct Part {
    name: &'static str,
    process: Guarded,
    log: PathBuf,
}

impl Part {
    /// Starts `program`, with its output in `<name>.log` of the state folder. `then_remove` goes when it has ended.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        state: &State,
        then_remove: Option<&Path>,
    ) -> Result<Self> {
        let log = state.join(format!("{name}.log"));
        let output = File::create(&log).map_err(Error::file("create", &log))?;
        let copy = output.try_clone().map_err(Error::file("open", &log))?;
        let command = command.current_dir(state.path());
        let process = Guarded::spawn_then_remove(command, output.into(), copy.into(), then_remove)?;
        Ok(Self { name, process, log })
    }

    /// As [`Part::start`], for the program whose end takes the state folder with it. Its processes hold `lock` as their
    /// output for as long as one of them lives; what they have to say goes to the log as errors.
    pub(crate) fn seated(
        name: &'static str,
        command: &mut Command,
        state: &State,
        lock: File,
    ) -> Result<Self> {
        let log = state.join(format!("{name}.log"));
        let output = File::create(&log).map_err(Error::file("create", &log))?;
        let command = command.current_dir(state.path());
        let process = Guarded::spawn_then_remove(command, lock.into(), output.into(), Some(state.path()))?;
        Ok(Self { name, process, log })
    }

    /// An error that shows the end of the log when the program has ended.
    pub(crate) fn alive(&mut self) -> Result<()> {
        match self.process.exited()? {
            None => Ok(()),
            Some(status) => {
                Err(Error::Ended { part: self.name, status, log: self.log.clone(), tail: self.tail() })
            }
        }
    }

    fn tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_else(|error| error.to_string());
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    fn not_ready(&self, answer: String) -> Error {
        Error::NotReady { part: self.name, waited: WITHIN, answer, log: self.log.clone(), tail: self.tail() }
    }
}

/// Waits until `check` is content; ends early when one of `parts`, of which the last is waited for, has ended.
pub(crate) async fn ready(
    parts: &mut [&mut Part],
    mut check: impl AsyncFnMut() -> std::result::Result<(), String>,
) -> Result<()> {
    let started = Instant::now();
    loop {
        for part in &mut *parts {
            part.alive()?;
        }
        match (check().await, parts.last()) {
            (Err(answer), Some(part)) if started.elapsed() > WITHIN => return Err(part.not_ready(answer)),
            (Err(_), _) => tokio::time::sleep(PAUSE).await,
            (Ok(()), _) => return Ok(()),
        }
    }
}
