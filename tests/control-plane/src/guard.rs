//! Child processes that end with their owner, also when the owner is killed with SIGKILL.
//! In: a command. Out: a handle that signals it, and kills it when dropped.
//! A shell stands between (`guard.sh`), because asking the kernel for it needs unsafe code, and because the kernel's own
//! way follows the thread that started the child: it would end with the first test of a test binary.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use crate::error::{Error, Result};

/// The name of a script in the folder of [`Guarded::spawn_then_remove`], which is run before the folder is removed.
pub(crate) const AFTERWARDS: &str = "afterwards.sh";
const SCRIPT: &str = include_str!("guard.sh");

/// A running program that is killed when this handle is dropped or its owner ends.
#[derive(Debug)]
pub struct Guarded {
    program: String,
    guard: Child,
    signals: Option<ChildStdin>,
}

impl Guarded {
    /// Starts `command` with its program, arguments, environment and folder; what it says about input and output is not
    /// taken over. Input is empty; `stdout` and `stderr` are where its output goes.
    ///
    /// # Errors
    /// When there is no shell. A program that cannot be run ends with status 126 or 127 and says so on `stderr`.
    pub fn spawn(command: &Command, stdout: Stdio, stderr: Stdio) -> Result<Self> {
        Self::spawn_then_remove(command, stdout, stderr, None)
    }

    /// As [`Guarded::spawn`]; afterwards a script [`AFTERWARDS`] in `folder` is run, and `folder` is removed, unless a
    /// file `keep` lies in it.
    pub(crate) fn spawn_then_remove(
        command: &Command,
        stdout: Stdio,
        stderr: Stdio,
        folder: Option<&Path>,
    ) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut guard = guard(command, folder)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .map_err(|source| Error::Spawn { program: "sh".into(), source })?;
        let signals = guard.stdin.take();
        Ok(Self { program, guard, signals })
    }

    /// The program's output, once, when it was started with `Stdio::piped()`.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.guard.stdout.take()
    }

    /// The program's error output, once, when it was started with `Stdio::piped()`.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.guard.stderr.take()
    }

    /// The process that guards the program, which is its parent.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.guard.id()
    }

    /// Sends a signal by its name without `SIG`: `TERM`, `STOP`, `CONT`. Nothing happens when the program has ended.
    pub fn signal(&mut self, name: &str) {
        if let Some(signals) = &mut self.signals {
            // Fails only when the guard has ended, and the program with it.
            let _ = writeln!(signals, "{name}");
        }
    }

    /// How the program ended, or `None` while it runs. A program killed by a signal has the code 128 + its number.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.guard.try_wait().map_err(|source| Error::Spawn { program: self.program.clone(), source })
    }

    /// Waits for the program's end.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.guard.wait().map_err(|source| Error::Spawn { program: self.program.clone(), source })
    }

    /// Kills the program with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) {
        drop(self.signals.take());
        let _ = self.guard.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.kill();
    }
}

fn guard(command: &Command, folder: Option<&Path>) -> Command {
    let mut guard = Command::new("sh");
    guard.args(["-c", SCRIPT, "guard"]).arg(folder.unwrap_or(Path::new("")));
    guard.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guard.env(name, value),
            None => guard.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        guard.current_dir(folder);
    }
    // A group of its own: Ctrl-C in a terminal reaches the owner alone, which then ends its children in order.
    guard.process_group(0);
    guard
}
