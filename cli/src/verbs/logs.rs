//! `logs`: shows what the steps of a run, or the build of an image, write.
//!
//! In: an object of the cluster by kubectl, the login of `az`. Out: logs on standard output, whose they are on standard error.

use super::Failed;
use anyhow::{Context as _, Result, bail, ensure};
use azureml_access::connect::Shared;
use azureml_access::credentials::Who;
use azureml_access::identity::Identities;
use azureml_cli::logs::read::{Asked, PAUSE, logs};
use azureml_cli::logs::{Source, is_to_come, source};
use azureml_cli::objects::objects;
use azureml_cli::plan::what_if::{Journal, WhatIf};
use azureml_config::Config;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// The arguments of `logs`.
#[derive(clap::Args)]
pub struct Logs {
    /// The object: mlrun/NAME, or mlenvironment/NAME for the build of its image.
    #[arg(value_name = "KIND/NAME")]
    object: String,
    /// The step of the run. Default: all of them.
    #[arg(long, value_name = "NAME")]
    step: Option<String>,
    /// Go on until the run, or the build, has ended.
    #[arg(long)]
    follow: bool,
    /// The namespace. Default: that of the context.
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// The context of the kubeconfig.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The kubeconfig.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The operator's configuration, for its clouds and certificates.
    #[arg(long, value_name = "FILE", env = "AZUREML_CONFIG")]
    config: Option<PathBuf>,
}

impl Logs {
    /// Shows the logs.
    ///
    /// # Errors
    /// When there are none, or they cannot be read.
    pub fn run(&self) -> Result<bool, Failed> {
        self.shown().map(|()| true).map_err(|cause| Failed { cause, code: 1 })
    }

    fn shown(&self) -> Result<()> {
        let (kind, name) = self.object.split_once('/').unwrap_or_default();
        ensure!(
            !kind.is_empty() && !name.is_empty(),
            "name one object, such as mlrun/train or mlenvironment/r"
        );
        let source = self.source(kind, name)?;
        // As the operator begins; another that is there does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config::read(self.config.as_deref())?;
        let identities = identities(&config)?;
        let cloud = source.cloud.as_ref().unwrap_or(&config.default_cloud.0);
        let Some(client) = identities.client(cloud, &Who::Person) else {
            bail!("there is no cloud {cloud}; describe it in clouds of --config");
        };
        let asked = Asked { client: &client, step: self.step.as_deref(), follows: self.follow };
        let (mut last, mut out) = (String::new(), std::io::stdout());
        let mut sink = |of: &str, piece: &[u8]| -> Result<()> {
            if of != last {
                eprintln!("==> {of}");
                of.clone_into(&mut last);
            }
            out.write_all(piece).context("standard output")?;
            out.flush().context("standard output")
        };
        let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
        if runtime.block_on(logs(&asked, &source.place, &mut sink))? == 0 {
            let studio = source.studio.map(|address| format!("; studio shows what else is known: {address}"));
            eprintln!("nothing was written yet{}", studio.unwrap_or_default());
        }
        Ok(())
    }

    /// Where the logs are; of a run that is to be followed, as soon as it has a job.
    fn source(&self, kind: &str, name: &str) -> Result<Source> {
        loop {
            let object = self.kubectl(&["get", kind, name])?;
            let object = object.first().with_context(|| format!("there is no {}", self.object))?;
            let found = source(object, &self.kubectl(&["get", "mlworkspaces"])?);
            if found.is_ok() || !self.follow || !is_to_come(object) {
                return found.map_err(anyhow::Error::msg);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// The objects that kubectl prints: it knows contexts, logins and proxies.
    fn kubectl(&self, arguments: &[&str]) -> Result<Vec<serde_json::Value>> {
        let mut command = Command::new("kubectl");
        command.args(arguments).arg("--output=json");
        for (flag, value) in [("--namespace", &self.namespace), ("--context", &self.context)] {
            if let Some(value) = value {
                command.args([flag, value]);
            }
        }
        if let Some(kubeconfig) = &self.kubeconfig {
            command.arg("--kubeconfig").arg(kubeconfig);
        }
        let output = command.output().context("failed to start kubectl; install it")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {}: {}", arguments.join(" "), said.trim());
        objects("the cluster", &String::from_utf8(output.stdout).context("kubectl")?)
    }
}

/// Clients that only read: what would change something is never sent.
fn identities(config: &Config) -> Result<Identities> {
    let mut shared = Shared::new(Arc::new(|| true), Arc::new(|_| {}));
    let dial = shared.dial.clone();
    shared.dial =
        Arc::new(move |settings| Ok(Arc::new(WhatIf::new(dial(settings)?, Journal::default())) as Arc<_>));
    Identities::new(config.reach()?, shared)
}
