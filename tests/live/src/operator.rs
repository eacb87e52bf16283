//! The real operator as a process, which reaches Azure through the recorder.
//!
//! In: a configuration, a cluster. Out: a process that ends with this one, and the end of its log for messages.

use anyhow::{Context as _, Result, bail};
use azureml_control_plane::Guarded;
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many lines of the log are kept.
const KEPT: usize = 200;

/// A running operator.
pub struct Operator {
    process: Guarded,
    log: Arc<Mutex<VecDeque<String>>>,
}

/// What one is started with.
pub struct Start<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its configuration.
    pub config: &'a Path,
    /// The cluster.
    pub kubeconfig: &'a Path,
    /// The namespace that it serves.
    pub namespace: &'a str,
    /// The recorder.
    pub proxy: &'a str,
}

impl Operator {
    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(start: &Start<'_>) -> Result<Self> {
        let mut command = Command::new(start.program);
        command.arg("run").arg("--config").arg(start.config).args(["--listen", "127.0.0.1:0"]);
        command.args(["--namespace", start.namespace, "--lease-namespace", start.namespace]);
        command.env("KUBECONFIG", start.kubeconfig);
        // The others would win over it.
        command.env("ALL_PROXY", start.proxy);
        for name in
            ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "all_proxy"]
        {
            command.env_remove(name);
        }
        let mut process = Guarded::spawn(&command, Stdio::null(), Stdio::piped())?;
        let stderr = process.stderr().context("the operator has no standard error")?;
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let filled = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = filled.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_back(line);
                if log.len() > KEPT {
                    log.pop_front();
                }
            }
        });
        Ok(Self { process, log })
    }

    /// An error with the end of the log when it has ended.
    ///
    /// # Errors
    /// See above.
    pub fn check(&mut self) -> Result<()> {
        match self.process.exited()? {
            None => Ok(()),
            Some(status) => bail!("the operator ended with {status}:{}", self.tail(20)),
        }
    }

    /// The end of its log, for messages.
    #[must_use]
    pub fn tail(&self, count: usize) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = log.len().saturating_sub(count);
        log.iter().skip(skip).fold(String::new(), |text, line| text + "\n  " + line)
    }

    /// Tells it to stop, and waits until nothing more can come from it: what does not end in time is killed.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn stop(mut self) -> Result<()> {
        self.process.signal("TERM");
        let until = Instant::now() + Duration::from_secs(30);
        while self.process.exited()?.is_none() {
            if Instant::now() > until {
                self.process.kill();
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}
