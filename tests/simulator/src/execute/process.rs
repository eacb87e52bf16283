//! Processes of steps: started in their folder, ended as a group, their output in one log file.

use super::{Job, machine};
use crate::faults::Failure;
use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// How much of the end of a log goes into the error of a step.
const TAIL: usize = 1024;

/// The processes that run.
#[derive(Clone)]
pub struct Running {
    runtime: Handle,
    stop: CancellationToken,
    tokens: Arc<Mutex<HashMap<String, CancellationToken>>>,
}

impl Running {
    /// No processes yet; all of them end with `stop`.
    pub fn new(runtime: Handle, stop: CancellationToken) -> Self {
        Self { runtime, stop, tokens: Arc::default() }
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a process and calls `ended` when it is over.
    pub fn start(&self, job: Job, ended: impl FnOnce(&Job, Result<(), Failure>) + Send + 'static) {
        let token = self.stop.child_token();
        self.tokens().insert(job.run.clone(), token.clone());
        let all = self.clone();
        self.runtime.spawn(async move {
            let result = run(&job, &token).await;
            all.tokens().remove(&job.run);
            if !all.stop.is_cancelled() {
                ended(&job, result);
            }
        });
    }

    /// Ends the process of a run, if it has one.
    pub fn kill(&self, run: &str) {
        if let Some(token) = self.tokens().remove(run) {
            token.cancel();
        }
    }
}

fn failed(source: &std::io::Error, what: &str) -> Failure {
    Failure::new("SystemError", format!("The simulator cannot {what} on this machine: {source}."))
}

/// Runs a process to its end.
async fn run(job: &Job, token: &CancellationToken) -> Result<(), Failure> {
    prepare(job).map_err(|source| failed(&source, "lay out the step's folder"))?;
    let mut child = spawn(job).map_err(|source| failed(&source, "start the step's process"))?;
    let group = child.id();
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
    if status.success() {
        return Ok(());
    }
    let code = status.code().map_or_else(|| "a signal".to_owned(), |code| format!("status code {code}"));
    let text = format!(
        "Execution failed. User process '/bin/bash' exited with {code}. Please check log file \
         'user_logs/std_log.txt' for error details. Error: {}",
        tail(job)
    );
    Err(Failure::new("UserError", text))
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
    let kill =
        Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).stderr(Stdio::null()).status();
    // A group that is gone cannot be ended, which is as good.
    let _ = kill.await;
}

/// The end of the log.
fn tail(job: &Job) -> String {
    let text = std::fs::read(&job.log).unwrap_or_default();
    let from = text.len().saturating_sub(TAIL);
    String::from_utf8_lossy(text.get(from..).unwrap_or_default()).trim().to_owned()
}
