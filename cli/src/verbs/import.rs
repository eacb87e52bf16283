//! `import`: reads a workspace, writes manifests of what is there.
//!
//! In: a workspace, the login of `az`. Out: files in a folder, progress and a count on standard error. Nothing is changed in Azure.

use super::Failed;
use super::folder::{put, same};
use anyhow::{Context as _, Result, bail};
use azureml_access::connect::Shared;
use azureml_access::credentials::Who;
use azureml_access::identity::Identities;
use azureml_cli::import::draft::Options;
use azureml_cli::import::read::read;
use azureml_cli::import::{Imported, import};
use azureml_cli::plan::what_if::{Journal, WhatIf};
use azureml_cli::said::plain;
use azureml_client::ArmId;
use azureml_client::client::Client;
use azureml_config::Config;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

/// The arguments of `import`.
#[derive(clap::Args)]
pub struct Import {
    /// The workspace: its ARM id, or its name with --subscription and --resource-group.
    #[arg(long, value_name = "ID|NAME")]
    workspace: String,
    /// The subscription of a workspace that is given by its name.
    #[arg(long, value_name = "ID", requires = "resource_group")]
    subscription: Option<String>,
    /// The resource group of a workspace that is given by its name.
    #[arg(long, value_name = "NAME", requires = "subscription")]
    resource_group: Option<String>,
    /// The folder for the manifests: a new one, or one that an earlier import wrote.
    #[arg(short, long, value_name = "DIR", default_value = "azureml")]
    out: PathBuf,
    /// Write adopt: true into computes and schedules, paused.
    #[arg(long)]
    adopt: bool,
    /// The namespace of the objects.
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// The cloud of the workspace. Default: defaultCloud of --config, which is AzurePublic.
    #[arg(long, value_name = "NAME")]
    cloud: Option<String>,
    /// The operator's configuration, for its clouds and certificates.
    #[arg(long, value_name = "FILE", env = "AZUREML_CONFIG")]
    config: Option<PathBuf>,
}

impl Import {
    /// Imports, and says whether all could be read.
    ///
    /// # Errors
    /// When the workspace cannot be read, or the folder cannot be written.
    pub fn run(&self) -> Result<bool, Failed> {
        self.imported().map_err(|cause| Failed { cause, code: 1 })
    }

    fn imported(&self) -> Result<bool> {
        let id = self.id()?;
        // As the operator begins; another that is there does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config::read(self.config.as_deref())?;
        let client = self.client(&config)?;
        let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
        let is_shown = std::io::stderr().is_terminal();
        let live = runtime.block_on(read(&client, &id, &|what, at, of| progress(is_shown, what, at, of)));
        if is_shown {
            eprint!("\r\u{1b}[K");
        }
        let live = live?;
        let options =
            Options { adopts: self.adopt, namespace: self.namespace.clone(), cloud: self.cloud.clone() };
        let Imported { files, objects, left } = import(&live, &options).map_err(anyhow::Error::msg)?;
        same(&self.out, &files)?;
        put(&self.out, &files)?;
        eprintln!("{objects} objects in {}, {left} lines in INVENTORY.md", self.out.display());
        for (collection, why) in &live.unread {
            eprintln!("error: {} could not be read: {}", plain(collection), plain(why));
        }
        Ok(live.unread.is_empty())
    }

    fn id(&self) -> Result<ArmId> {
        let id = match (&self.subscription, &self.resource_group) {
            (Some(subscription), Some(group)) => ArmId::workspace(subscription, group, &self.workspace),
            _ => ArmId::parse(&self.workspace)
                .context("--workspace takes an ARM id, or a name with --subscription and --resource-group")?,
        };
        let Some(workspace) = ArmId::parse(id.as_str()).ok().and_then(|id| id.enclosing_workspace()) else {
            bail!(
                "{id} is not the ARM id of a workspace; write /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.MachineLearningServices/workspaces/<name>"
            );
        };
        Ok(workspace)
    }

    /// A client that only reads: what would change something is answered here, and never sent.
    fn client(&self, config: &Config) -> Result<Arc<Client>> {
        let mut shared = Shared::new(Arc::new(|| true), Arc::new(|_| {}));
        let dial = shared.dial.clone();
        shared.dial =
            Arc::new(
                move |settings| Ok(Arc::new(WhatIf::new(dial(settings)?, Journal::default())) as Arc<_>),
            );
        let identities = Identities::new(config.reach()?, shared)?;
        let cloud = self.cloud.as_ref().unwrap_or(&config.default_cloud.0);
        let known = || identities.cloud_names().join(", ");
        identities.client(cloud, &Who::Person).with_context(|| {
            format!(
                "there is no cloud {cloud}; name one of {}, or describe it in clouds of --config",
                known()
            )
        })
    }
}

/// How far it is, in one line of a terminal.
fn progress(is_shown: bool, what: &str, at: usize, of: usize) {
    if !is_shown {
        return;
    }
    let count = if of > 1 { format!(" {at} of {of}") } else { String::new() };
    eprint!("\r\u{1b}[Kreading {what}{count}");
    // A terminal that is gone shows nothing.
    let _ = std::io::stderr().flush();
}
