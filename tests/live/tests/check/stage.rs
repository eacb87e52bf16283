//! What the tests of the check stand on: a simulated subscription with names that nobody may see, and the program as a process.

use anyhow::{Context as _, Result, anyhow, ensure};
use azureml_e2e::operator::{SOON, binary, configure};
use azureml_simulator::{Entry, Options, Simulator, Times, WorkspaceSpec};
use serde_json::Value;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Names and ids that may not be in a recording.
pub const SUBSCRIPTION: &str = "9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a";
pub const TENANT: &str = "7a6b5c4d-3e2f-4a1b-9c8d-7e6f5a4b3c2d";
pub const CLIENT: &str = "0c1d2e3f-4a5b-4c6d-8e9f-a0b1c2d3e4f5";
pub const GROUP: &str = "rg-confidential";
pub const WORKSPACE: &str = "mlw-confidential";

/// As long as anything may take here.
pub const PATIENCE: Duration = Duration::from_mins(4);

/// A subscription, and a folder for what the program writes.
pub struct Stage {
    pub azure: Simulator,
    pub folder: TempDir,
}

impl Stage {
    pub async fn set() -> Result<Self> {
        let options = Options {
            subscription_id: SUBSCRIPTION.to_owned(),
            tenant_id: TENANT.to_owned(),
            workspaces: vec![WorkspaceSpec::new(GROUP, WORKSPACE)],
            // A build goes on while it is asked for once more, also on a machine that has other things to do.
            times: Times { build: Duration::from_secs(3), ..Times::default() },
            ..Options::default()
        };
        let azure = Simulator::start(options).await.map_err(|error| anyhow!("the simulator: {error}"))?;
        let folder = tempfile::tempdir()?;
        configure(&folder.path().join("config.yaml"), azure.endpoint(), azure.ca_file(), SOON)?;
        Ok(Self { azure, folder })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with these arguments beside those that name the workspace.
    pub async fn start(&self, arguments: &[&str], input: &str) -> Result<Program> {
        let operator = tokio::task::spawn_blocking(binary).await??;
        let mut command = Command::new(env!("CARGO_BIN_EXE_live"));
        command.args(["--subscription", SUBSCRIPTION, "--resource-group", GROUP, "--workspace", WORKSPACE]);
        command.args(["--settle", "1", "--minutes", "4"]).arg("--config").arg(self.file("config.yaml"));
        command.arg("--operator").arg(operator).args(arguments);
        command.env("AZURE_TENANT_ID", TENANT).env("AZURE_CLIENT_ID", CLIENT);
        command.env("AZURE_CLIENT_SECRET", "not-a-secret").env_remove("AZURE_FEDERATED_TOKEN_FILE");
        let output = tempfile::NamedTempFile::new_in(self.folder.path())?;
        let append = || File::options().append(true).open(output.path());
        command.stdin(Stdio::piped()).stdout(append()?).stderr(append()?);
        let mut child = command.spawn().context("failed to start the check")?;
        child.stdin.take().context("no input")?.write_all(input.as_bytes())?;
        Ok(Program { child: Some(child), output })
    }

    /// Runs the program to its end.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Result<(ExitStatus, String)> {
        self.start(arguments, input).await?.ended().await
    }

    /// Waits until Azure has received something.
    pub async fn received(&self, what: &str) -> Result<()> {
        let is_it = |entry: &Entry| entry.operation == what && entry.status.is_some();
        let found = self.azure.wait_for(PATIENCE, |log| log.iter().any(is_it).then_some(())).await;
        found.with_context(|| format!("Azure did not receive {what}"))
    }

    /// What changed Azure.
    pub fn writes(&self) -> Vec<String> {
        let writes = self.azure.requests().into_iter().filter(Entry::is_write);
        writes.map(|entry| format!("{} {:?}", entry.operation, entry.status)).collect()
    }

    /// Azure has nothing of the check, but for the registry's own list of what it ran, which nobody can shorten.
    pub fn nothing_is_left(&self) -> Result<()> {
        let mut state = self.azure.state(GROUP, WORKSPACE).context("there is no workspace")?;
        state["registry"]["runs"] = Value::Null;
        ensure!(is_empty(&state), "left in Azure: {state:#}");
        Ok(())
    }
}

/// Whether there is no value in it, however deep.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The running program.
pub struct Program {
    child: Option<Child>,
    output: tempfile::NamedTempFile,
}

impl Program {
    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) -> Result<()> {
        let id = self.child.as_ref().context("it has ended")?.id();
        let status = Command::new("kill").args([format!("-{name}"), id.to_string()]).status()?;
        ensure!(status.success(), "kill ended with {status}");
        Ok(())
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Result<(ExitStatus, String)> {
        let mut child = self.child.take().context("it has ended")?;
        let status = tokio::task::spawn_blocking(move || child.wait()).await??;
        Ok((status, std::fs::read_to_string(self.output.path())?))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
