//! The command of a step on Databricks as a process of this machine, with a simulated Azure around it.
//! In: a step as YAML, values. Out: how the process ended, and what Databricks was asked.

use super::LIMIT;
use anyhow::{Context as _, Result, anyhow};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_plan::component::{self, Resolved, Runs};
use azureml_plan::source::Sources;
use azureml_simulator::{Options, Simulator, WorkspaceSpec};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

/// A simulated Azure, and steps of it.
pub struct Bridge {
    pub azure: Simulator,
    workspace: String,
}

/// A process of a step.
pub struct Running(Child);

/// How it ended.
pub struct Ended {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote, the errors last.
    pub said: String,
}

impl Bridge {
    pub async fn start() -> Result<Self> {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut Options)) -> Result<Self> {
        let mut options = Options { workspaces: vec![WorkspaceSpec::new("rg", "ws")], ..Options::default() };
        change(&mut options);
        let azure = Simulator::start(options).await?;
        let workspace = format!(
            "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws",
            azure.subscription_id()
        );
        Ok(Self { azure, workspace })
    }

    /// The command that is registered for a step, with its bindings.
    pub fn command(&self, run: &str, step: &str) -> Result<String> {
        let spec = format!(
            "{{workspaceRef: {{name: w}}, inputs: {{rate: {{type: number}}}}, steps: [{{name: prepare, {step} \
             inputs: {{raw: x, who: x, rate: '${{{{parent.inputs.rate}}}}', none: '${{{{parent.inputs.rate}}}}', a: x, day: x}}, outputs: {{table: {{}}}}, \
             databricks: {{workspaceUrl: 'https://{}', {run}}}}}]}}",
            azureml_simulator::DATABRICKS
        );
        let pipeline = MLPipeline::new("p", serde_saphyr::from_str(&spec)?);
        let faults = component::check(&pipeline, &BTreeMap::new());
        anyhow::ensure!(faults.is_empty(), "{faults:?}");
        let step = pipeline.spec.steps.first().context("no step")?;
        let runs = Runs::Own(Some("azureml:e:1".to_owned()));
        let resolved =
            Resolved { runs, compute: None, instance_type: None, asset: None, data: BTreeMap::new() };
        let workspace = ArmId::parse(&self.workspace)?;
        let prepared = component::prepare(
            &pipeline,
            step,
            &resolved,
            (&workspace, "base"),
            (&BTreeMap::new(), &Sources::default()),
        )
        .map_err(anyhow::Error::msg)?;
        let body = &prepared.own().context("no component of its own")?.body;
        Ok(body["properties"]["componentSpec"]["command"].as_str().context("no command")?.to_owned())
    }

    /// Starts a command as Azure ML does: values in the places of bindings, and the variables of a job.
    pub fn spawn(&self, job: &str, command: &str, values: &[(&str, &str)]) -> Result<Running> {
        let endpoint = self.azure.endpoint();
        let child = Command::new("sh")
            .arg("-c")
            .arg(filled(command, values))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AZUREML_RUN_ID", job)
            .env("AZUREML_ARM_SUBSCRIPTION", self.azure.subscription_id())
            .env("AZUREML_ARM_RESOURCEGROUP", "rg")
            .env("AZUREML_ARM_WORKSPACE_NAME", "ws")
            .env("MSI_ENDPOINT", format!("{endpoint}/msi/token"))
            .env("MSI_SECRET", "s")
            .env("HTTPS_PROXY", endpoint.replace("https://", "http://"))
            .env("SSL_CERT_FILE", self.azure.ca_file())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(Running(child))
    }

    pub async fn run(&self, job: &str, command: &str, values: &[(&str, &str)]) -> Result<Ended> {
        self.spawn(job, command, values)?.end().await
    }

    pub fn fault(&self, spec: &Value) -> Result<String> {
        self.azure.fault(spec.clone()).map_err(anyhow::Error::msg)
    }

    /// How often an address was asked for.
    pub fn count(&self, part: &str) -> usize {
        self.azure.requests().iter().filter(|entry| entry.url.contains(part)).count()
    }

    /// Waits until an address was asked for so often.
    pub async fn asked(&self, part: &str, times: usize) -> Result<()> {
        let part = part.replace('\\', "");
        let is_so = |entries: &[azureml_simulator::Entry]| {
            (entries.iter().filter(|entry| entry.url.contains(&part)).count() >= times).then_some(())
        };
        self.azure.wait_for(LIMIT, is_so).await.with_context(|| format!("{part} was not asked for"))
    }

    /// What started runs, or tried to.
    pub fn started(&self) -> Result<Vec<Value>> {
        let starts = |url: &str| url.ends_with("runs/submit") || url.ends_with("run-now");
        let entries = self.azure.requests().into_iter().filter(|entry| starts(&entry.url));
        entries.map(|entry| Ok(serde_json::from_slice(&entry.body)?)).collect()
    }

    /// The name of the workspace's vault.
    pub async fn vault(&self) -> Result<String> {
        let request = http::Request::get(format!(
            "{}/msi/token?resource=https://management.azure.com",
            self.azure.endpoint()
        ))
        .header("secret", "s")
        .body(axum::body::Bytes::default())?;
        let answer = self.azure.answer(request).await.context("no token")?;
        let token: Value = serde_json::from_slice(answer.body())?;
        let token = token["access_token"].as_str().context("no token")?;
        let url = format!("{}{}?api-version=2024-04-01", self.azure.endpoint(), self.workspace);
        let request = http::Request::get(url)
            .header("authorization", format!("Bearer {token}"))
            .body(axum::body::Bytes::default())?;
        let answer = self.azure.answer(request).await.context("no workspace")?;
        let workspace: Value = serde_json::from_slice(answer.body())?;
        let vault = workspace["properties"]["keyVault"].as_str().context("no vault")?;
        Ok(vault.rsplit('/').next().unwrap_or_default().to_owned())
    }
}

impl Running {
    pub fn signal(&self, signal: &str) -> Result<()> {
        let done = Command::new("kill").arg(format!("-{signal}")).arg(self.0.id().to_string()).status()?;
        anyhow::ensure!(done.success(), "the process is gone");
        Ok(())
    }

    pub async fn end(self) -> Result<Ended> {
        let ended = tokio::task::spawn_blocking(move || self.0.wait_with_output());
        let output = tokio::time::timeout(LIMIT, ended).await.context("the step goes on")???;
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ok(Ended { code: output.status.code(), said })
    }
}

/// A command with values in the places of its bindings. A group whose value is missing is dropped.
fn filled(command: &str, values: &[(&str, &str)]) -> String {
    let values: BTreeMap<&str, &str> = values.iter().copied().collect();
    let line = |line: &str| {
        let group = line.strip_prefix("$[[").and_then(|rest| rest.strip_suffix("]]"));
        let binding = group.unwrap_or(line).strip_prefix("=${{").and_then(|rest| rest.strip_suffix("}}"));
        match binding.map(|port| values.get(port)) {
            None => line.to_owned(),
            Some(Some(value)) => format!("={value}"),
            Some(None) => String::new(),
        }
    };
    command.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The command with another request in it.
pub fn told_anew(command: &str, change: impl FnOnce(&mut Value)) -> Result<String> {
    let mut words = command.split(' ').filter_map(|word| {
        let told: Value = serde_json::from_slice(&STANDARD.decode(word).ok()?).ok()?;
        told.is_object().then_some((word, told))
    });
    let (word, mut told) = words.next_back().ok_or_else(|| anyhow!("no request in {command}"))?;
    change(&mut told);
    Ok(command.replace(word, &STANDARD.encode(told.to_string())))
}
