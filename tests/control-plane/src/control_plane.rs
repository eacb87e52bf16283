//! One running control plane: how it starts, in order, and what it offers to tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;

use crate::api_server::{self, ApiServer};
use crate::binaries::Binaries;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::part::Part;
use crate::pki::Authority;
use crate::state::State;
use crate::{controller_manager, crds, etcd, helm, kubeconfig};

/// A running control plane. It ends when this is dropped, or when the process ends, however that happens.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: nobody writes to what is gone already.
    controller_manager: Option<Part>,
    api_server: ApiServer,
    etcd: Part,
    pub(crate) state: State,
    pub(crate) authority: Authority,
    binaries: Binaries,
}

impl ControlPlane {
    /// Starts one: 4 s when its programs are at hand, minutes when they have to be built first.
    ///
    /// # Errors
    /// When programs are missing and cannot be built, a part does not start (with the end of its log), or a CRD is
    /// refused.
    pub async fn start(options: Options) -> Result<Self> {
        let found = tokio::task::spawn_blocking(Binaries::find).await;
        let binaries = found.map_err(|error| Error::Missing {
            what: format!("the search for the control plane's programs ended early ({error})"),
            remedy: "see the messages above".into(),
        })??;
        let state = State::create()?;
        if options.keep_state {
            state.keep();
        }
        let authority = Authority::new()?;
        let mut etcd = etcd::start(&binaries.etcd, &state)?;
        let api_server =
            api_server::start(&binaries.api_server, &options, &state, &authority, &mut etcd).await;
        let api_server = api_server.inspect_err(|_| state.keep())?;
        let mut plane = Self { controller_manager: None, api_server, etcd, state, authority, binaries };
        plane.complete(&options).await.inspect_err(|_| plane.state.keep())?;
        Ok(plane)
    }

    async fn complete(&mut self, options: &Options) -> Result<()> {
        self.install(&options.crds).await?;
        if let Some(program) = &self.binaries.controller_manager {
            let client = self.client().await?;
            let part =
                controller_manager::start(program, self.kubeconfig(), client, &self.state, options.node)
                    .await?;
            self.controller_manager = Some(part);
        }
        Ok(())
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.api_server.kubeconfig
    }

    /// The API server's address, `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.api_server.endpoint
    }

    /// The authority that signed the API server's certificate, as a PEM file.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.api_server.ca_file
    }

    /// The administrator's bearer token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.api_server.token
    }

    /// The folder with keys, kubeconfigs and the logs `etcd.log`, `kube-apiserver.log` and
    /// `kube-controller-manager.log`.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The audit log, one JSON object of `audit.k8s.io/v1` a line, where [`Options::audit`] asked for it.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.state.join(api_server::AUDIT_LOG)
    }

    /// Whether garbage is collected and namespaces are deleted here, see [`Binaries::controller_manager`].
    #[must_use]
    pub fn has_controller_manager(&self) -> bool {
        self.controller_manager.is_some()
    }

    /// An error with the end of the log when a part has ended.
    ///
    /// # Errors
    /// [`Error::Ended`], which names the part.
    pub fn check(&mut self) -> Result<()> {
        self.etcd.alive()?;
        self.api_server.part.alive()?;
        self.controller_manager.as_mut().map_or(Ok(()), Part::alive)
    }

    /// A client with the administrator's rights. Make one per runtime: it does not outlive the one it is made in.
    ///
    /// # Errors
    /// When the kubeconfig is not readable any more.
    pub async fn client(&self) -> Result<Client> {
        kubeconfig::client(self.kubeconfig()).await
    }

    /// A client with the rights of a kubeconfig, of an [`crate::Identity`] for example.
    ///
    /// # Errors
    /// When the kubeconfig is not readable.
    pub async fn client_of(&self, kubeconfig: &Path) -> Result<Client> {
        kubeconfig::client(kubeconfig).await
    }

    /// Applies CRDs and waits until they are established. Prefer [`Options::crds`], which says why.
    ///
    /// # Errors
    /// When the API server refuses one, or does not serve it within half a minute.
    pub async fn install(&self, crds: &[CustomResourceDefinition]) -> Result<()> {
        crds::install(&self.client().await?, crds).await
    }

    /// A command `kubectl` with the administrator's rights and no settings of the user.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.binaries.kubectl);
        command.env("KUBECONFIG", self.kubeconfig()).env("KUBECACHEDIR", self.state.join("kubectl-cache"));
        command.env("KUBERC", "off");
        command
    }

    /// A command `helm` with the administrator's rights and no settings of the user. Blocks while Helm is installed,
    /// once.
    ///
    /// # Errors
    /// When Helm is not at hand and cannot be installed.
    pub fn helm(&self) -> Result<Command> {
        let mut command = Command::new(helm::find()?);
        command.env("KUBECONFIG", self.kubeconfig());
        for (variable, folder) in
            [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")]
        {
            command.env(variable, self.state.join("helm").join(folder));
        }
        Ok(command)
    }
}
