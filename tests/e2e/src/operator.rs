//! The real operator as a process: started, stopped, killed, and read by its own log.

use crate::cluster;
use crate::log::Log;
use anyhow::{Context as _, Result, anyhow, ensure};
use azureml_control_plane::{Guarded, progress};
use azureml_controller::telemetry::texts;
use serde_json::Value;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What one operator is started with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The namespace that it watches and keeps its lease in.
    pub namespace: String,
    /// More namespaces that it watches; they need not exist yet.
    pub also: Vec<String>,
    /// The configuration file.
    pub config: PathBuf,
    /// The application id of its tokens.
    pub client: String,
    /// The tenant.
    pub tenant: String,
    /// With whose rights it uses Kubernetes. Absent: everybody's.
    pub kubeconfig: Option<PathBuf>,
    /// Its arguments instead of the usual ones, which watch the namespace alone and name the cluster `test`; the chart
    /// has arguments of its own.
    pub arguments: Option<Vec<String>>,
    /// Its filter of the log. Absent: what tests wait for.
    pub log: Option<String>,
    /// More environment variables; without a value one is taken away.
    pub environment: Vec<(String, Option<String>)>,
}

const LOG: &str = "info,azureml_controller=debug,azureml_observe=debug";

/// A running operator.
pub struct Operator {
    process: Guarded,
    log: Arc<Log>,
}

/// The operator's binary, built once: beside the running program, in the same profile.
///
/// # Errors
/// When it cannot be built.
pub fn binary() -> Result<PathBuf> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY.get_or_init(|| build().map_err(|error| format!("{error:#}"))).clone().map_err(anyhow::Error::msg)
}

fn build() -> Result<PathBuf> {
    let running = std::env::current_exe()?;
    let folders = running.ancestors().skip(1).filter(|folder| !folder.ends_with("deps"));
    let profile = folders.into_iter().next().context("the running program is in no folder")?;
    let target = profile.parent().context("there is no target folder")?;
    let mut cargo = cargo();
    // The whole workspace decides the features, as in every other build of it; else dependencies are built twice.
    cargo
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--locked",
            "--bin",
            "azureml-operator",
            "--bin",
            "kubectl-azureml",
            "--target-dir",
        ])
        .arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let output = progress::during("building the operator", || cargo.output());
    let output = output.context("failed to start cargo")?;
    ensure!(
        output.status.success(),
        "failed to build the operator: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(profile.join("azureml-operator"))
}

/// The cargo that runs us, in the root of the project.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo tells a test of itself would make it build C code anew.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo.current_dir(crate::root());
    cargo
}

impl Operator {
    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start(start: &Start) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command.arg("run").arg("--config").arg(&start.config);
        let usual = ["--namespace", &start.namespace, "--cluster-id", "test"].map(str::to_owned).to_vec();
        command.args(start.arguments.clone().unwrap_or(usual));
        command.args(start.also.iter().flat_map(|name| ["--namespace", name]));
        command.args(["--lease-namespace", &start.namespace]);
        command.args(["--listen", "127.0.0.1:0", "--log", start.log.as_deref().unwrap_or(LOG)]);
        let kubeconfig = start.kubeconfig.as_deref().unwrap_or_else(|| cluster::kubeconfig());
        command.env("KUBECONFIG", kubeconfig);
        command.env("AZURE_TENANT_ID", &start.tenant).env("AZURE_CLIENT_ID", &start.client);
        command.env("AZURE_CLIENT_SECRET", "not-a-secret").env_remove("AZURE_FEDERATED_TOKEN_FILE");
        for (name, value) in &start.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut process = Guarded::spawn(&command, Stdio::null(), Stdio::piped())?;
        let stderr = process.stderr().context("the operator has no standard error")?;
        let log = Arc::new(Log::default());
        let filled = log.clone();
        std::thread::spawn(move || filled.fill(BufReader::new(stderr)));
        Ok(Self { process, log })
    }

    /// Kills it as a crash does.
    pub fn kill(mut self) {
        self.process.kill();
    }

    /// Tells it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it ends with a failure.
    pub fn stop(mut self) -> Result<()> {
        self.process.signal("TERM");
        let status = self.process.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(anyhow!("the operator ended with {status}: {}", self.tail(20)))
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn ended(mut self) -> Result<ExitStatus> {
        Ok(self.process.wait()?)
    }

    /// Whether it has ended since it lost its lease, as on a machine that is busy: a kubelet would start another.
    #[must_use]
    pub fn has_lost_its_lease(&self) -> bool {
        let lines = self.log.locked();
        lines.ended && lines.all.iter().any(|line| line["message"] == texts::LEASE_LOST)
    }

    /// The most memory that it has had in use, in bytes.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn peak_memory(&self) -> Result<u64> {
        let guard = self.process.id();
        let children = std::fs::read_to_string(format!("/proc/{guard}/task/{guard}/children"))?;
        let peak = children.split_whitespace().filter_map(|child| {
            let status = std::fs::read_to_string(format!("/proc/{child}/status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        });
        peak.max().map(|kib| kib << 10).context("the operator has no memory")
    }

    /// Stops its execution, or lets it go on: as a machine that is suspended.
    pub fn signal(&mut self, name: &str) {
        self.process.signal(name);
    }

    /// Where its log is now; later waits begin here.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.log.locked().all.len()
    }

    /// Waits for a line of the log after a mark, and gives the place after it.
    ///
    /// # Errors
    /// When it does not come in time, or the operator ends before.
    pub fn line(&self, mark: usize, what: &str, is_it: impl Fn(&Value) -> bool) -> Result<usize> {
        let until = Instant::now() + crate::PATIENCE;
        let mut lines = self.log.locked();
        let mut next = mark;
        loop {
            while let Some(line) = lines.all.get(next) {
                next += 1;
                if is_it(line) {
                    return Ok(next);
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if lines.ended || left.is_zero() {
                drop(lines);
                return Err(anyhow!("no line that says {what}: {}", self.tail(30)));
            }
            lines = self
                .log
                .more
                .wait_timeout(lines, left.min(Duration::from_secs(1)))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits until a pass over an object has ended after a mark.
    ///
    /// # Errors
    /// As [`Operator::line`].
    pub fn pass(&self, mark: usize, kind: &str, name: &str) -> Result<usize> {
        let is_it =
            |line: &Value| line["message"] == texts::PASS && line["kind"] == kind && line["name"] == name;
        self.line(mark, &format!("a pass over {kind} {name}"), is_it)
    }

    /// Waits until it leads.
    ///
    /// # Errors
    /// As [`Operator::line`].
    pub fn leads(&self) -> Result<usize> {
        self.line(0, "that it leads", |line| line["message"] == texts::LEADING)
    }

    /// Where it serves its metrics.
    ///
    /// # Errors
    /// When it does not say so.
    pub fn address(&self) -> Result<String> {
        let is_it = |line: &Value| line["message"] == texts::SERVING;
        let place = self.line(0, "where it listens", is_it)?;
        let lines = self.log.locked();
        Ok(lines.all[place - 1]["address"].as_str().unwrap_or_default().to_owned())
    }

    /// Its log so far; what is no JSON is a text.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        self.log.locked().all.clone()
    }

    /// The end of its log, for messages.
    #[must_use]
    pub fn tail(&self, count: usize) -> String {
        let lines = self.log.locked();
        let skip = lines.all.len().saturating_sub(count);
        lines.all[skip..].iter().fold(String::new(), |text, line| text + "\n  " + &line.to_string())
    }
}

/// Intervals for tests: everything soon, but a lease that a busy machine does not lose, and that is renewed as seldom as in real life: three
/// times a second kept the API server busier than many a test did.
pub const SOON: &str = "\
intervals: {resync: 1h, firstLook: 100ms, longestLook: 1s, firstJobLook: 100ms, longestJobLook: 500ms, listSpacing: 50ms, \
backoff: 200ms, longestBackoff: 2s, provisioning: [1s, 2s, 4s], stalled: 4s}
lease: {duration: 15s, renewDeadline: 12s, retryPeriod: 2s}
azure: {requestTimeout: 5s}
";

/// [`SOON`] for tests that wait until a lease expires: it lasts so many seconds, is renewed within so many, and is tried for often.
#[must_use]
pub fn soon_with_lease(seconds: u64, renewed: u64) -> String {
    SOON.replace(
        "duration: 15s, renewDeadline: 12s, retryPeriod: 2s",
        &format!("duration: {seconds}s, renewDeadline: {renewed}s, retryPeriod: 300ms"),
    )
}

/// Writes a configuration for operators that talk to a simulator.
///
/// # Errors
/// When the file cannot be written.
pub fn configure(file: &Path, endpoint: &str, ca: &Path, more: &str) -> Result<()> {
    let host = endpoint.trim_start_matches("https://");
    let text = format!(
        "clouds:\n- {{name: AzurePublic, authority: '{endpoint}', resourceManager: '{endpoint}', hosts: ['{host}'], storageHosts: ['{host}'], caFile: '{}'}}\n\
         registries: {{mirrors: [{{hosts: ['*'], endpoint: '{endpoint}'}}]}}\n{more}",
        ca.display()
    );
    std::fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))
}
