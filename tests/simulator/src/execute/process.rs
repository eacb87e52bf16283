//! Processes of steps: started in their folder, ended as a group, their output in one log file.

use super::{Job, machine};
use crate::faults::Failure;
use std::collections::HashMap;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// How much of the end of a log goes into the error of a step.
const TAIL: usize = 1024;

/// One process that runs: how to end it, and the id of its group once it has one.
#[derive(Default)]
struct Entry {
    token: CancellationToken,
    group: Option<u32>,
}

/// The processes that run.
#[derive(Clone)]
pub struct Running {
    runtime: Handle,
    all: Arc<Mutex<HashMap<String, Entry>>>,
}

impl Running {
    /// No processes yet; they are run on this runtime.
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, all: Arc::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a process and calls `ended` when it is over.
    pub fn start(&self, job: Job, ended: impl FnOnce(&Job, Result<(), Failure>) + Send + 'static) {
        let token = CancellationToken::new();
        self.all().insert(job.run.clone(), Entry { token: token.clone(), group: None });
        let running = self.clone();
        self.runtime.spawn(async move {
            let result = running.run(&job, &token).await;
            running.all().remove(&job.run);
            ended(&job, result);
        });
    }

    /// Ends the process of a run, if it has one.
    pub fn kill(&self, run: &str) {
        if let Some(entry) = self.all().remove(run) {
            entry.token.cancel();
        }
    }

    /// Ends every process, and returns when that is done: nothing that a step started outlives the simulator.
    pub fn kill_all(&self) {
        for (_, entry) in self.all().drain() {
            entry.token.cancel();
            if let Some(group) = entry.group {
                // A group that is gone cannot be ended, which is as good.
                let _ = std::process::Command::new("kill")
                    .args(kill_arguments(group))
                    .stderr(Stdio::null())
                    .status();
            }
        }
    }

    /// Runs a process to its end.
    async fn run(&self, job: &Job, token: &CancellationToken) -> Result<(), Failure> {
        prepare(job).map_err(|source| failed(&source, "lay out the step's folder"))?;
        let mut child = spawn(job).map_err(|source| failed(&source, "start the step's process"))?;
        let group = child.id();
        if let Some(entry) = self.all().get_mut(&job.run) {
            entry.group = group;
        }
        let status = tokio::select! {
            status = child.wait() => status.map_err(|source| failed(&source, "wait for the step's process"))?,
            () = token.cancelled() => {
                end_group(group).await;
                // The process was told to end; how it ends does not matter any more.
                let _ = child.wait().await;
                return Err(Failure::new("Canceled", "The step's process was ended."));
            }
        };
        // What the step left behind must not outlive it.
        end_group(group).await;
        if status.success() { Ok(()) } else { Err(exited(job, status)) }
    }
}

/// The failure of a process, with the end of its log.
fn exited(job: &Job, status: ExitStatus) -> Failure {
    let code = status.code().map_or_else(|| "a signal".to_owned(), |code| format!("status code {code}"));
    let text = format!(
        "Execution failed. User process '/bin/bash' exited with {code}. Please check log file \
         'user_logs/std_log.txt' for error details. Error: {}",
        tail(job)
    );
    Failure::new("UserError", text)
}

fn kill_arguments(group: u32) -> [String; 3] {
    ["-KILL".into(), "--".into(), format!("-{group}")]
}

fn failed(source: &std::io::Error, what: &str) -> Failure {
    Failure::new("SystemError", format!("The simulator cannot {what} on this machine: {source}."))
}

fn prepare(job: &Job) -> std::io::Result<()> {
    for folder in job.folders.iter().map(std::path::PathBuf::as_path).chain(job.log.parent()) {
        std::fs::create_dir_all(folder)?;
    }
    for (from, to) in &job.files {
        to.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::copy(from, to)?;
    }
    Ok(())
}

fn spawn(job: &Job) -> std::io::Result<Child> {
    let log = std::fs::File::create(&job.log)?;
    let lent = job.folder.with_file_name("bin");
    let mut path = std::env::var("PATH").unwrap_or_default();
    if machine::lend_python(&lent)? {
        path = format!("{}:{path}", lent.display());
    }
    let shell = if machine::has("bash") { "bash" } else { "sh" };
    Command::new(shell)
        .args(["-c", &job.line])
        .current_dir(&job.folder)
        .env_clear()
        .env("PATH", path)
        .env("LANG", "C.UTF-8")
        .envs(&job.variables)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Ends every process of a group that is still there.
async fn end_group(group: Option<u32>) {
    let Some(group) = group else { return };
    let kill = Command::new("kill").args(kill_arguments(group)).stderr(Stdio::null()).status();
    // A group that is gone cannot be ended, which is as good.
    let _ = kill.await;
}

/// The end of the log.
fn tail(job: &Job) -> String {
    let text = std::fs::read(&job.log).unwrap_or_default();
    let from = text.len().saturating_sub(TAIL);
    String::from_utf8_lossy(text.get(from..).unwrap_or_default()).trim().to_owned()
}
