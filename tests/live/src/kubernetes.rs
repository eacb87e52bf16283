//! The cluster of the check: a control plane on this machine, or one that exists, with a namespace and the operator's kinds.
//!
//! In: a kubeconfig or none. Out: a client. A cluster that has the kinds already is refused: an operator may serve it.

use anyhow::{Context as _, Result, bail};
use azureml_control_plane::{ControlPlane, Options, crds};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Client, ResourceExt as _};
use std::path::{Path, PathBuf};

/// The cluster.
pub struct Cluster {
    /// A client with its user's rights.
    pub client: Client,
    kubeconfig: PathBuf,
    own: Option<ControlPlane>,
}

impl Cluster {
    /// Starts one, or connects to one, and installs the kinds.
    ///
    /// # Errors
    /// When it cannot be reached, or has the kinds already.
    pub async fn ready(kubeconfig: Option<&Path>) -> Result<Self> {
        let definitions = azureml_crds::all()?;
        let Some(path) = kubeconfig else {
            let plane = ControlPlane::start(Options { crds: definitions, ..Options::default() }).await?;
            let (client, kubeconfig) = (plane.client().await?, plane.kubeconfig().to_owned());
            return Ok(Self { client, kubeconfig, own: Some(plane) });
        };
        let read = Kubeconfig::read_from(path).with_context(|| path.display().to_string())?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        let api: Api<CustomResourceDefinition> = Api::all(client.clone());
        for definition in &definitions {
            if api.get_opt(&definition.name_any()).await?.is_some() {
                bail!(
                    "the cluster has {} already, and an operator may serve it; leave out --kubeconfig, or take a cluster without it",
                    definition.name_any()
                );
            }
        }
        Ok(Self { client, kubeconfig: path.to_owned(), own: None })
    }

    /// Installs the kinds in a cluster that exists; one of our own has them.
    ///
    /// # Errors
    /// When one is refused.
    pub async fn install(&self) -> Result<()> {
        if self.own.is_none() {
            crds::install(&self.client, &azureml_crds::all()?).await?;
        }
        Ok(())
    }

    /// Where its kubeconfig is.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Makes a namespace.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn namespace(&self, name: &str) -> Result<()> {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        Api::all(self.client.clone()).create(&PostParams::default(), &namespace).await?;
        Ok(())
    }

    /// Removes what was made in a cluster that stays: objects without waiting for an operator that is gone, kinds, namespace.
    ///
    /// # Errors
    /// When something is refused.
    pub async fn leave(self, namespace: &str) -> Result<()> {
        if self.own.is_some() {
            return Ok(());
        }
        let params = DeleteParams::default();
        crate::story::release(&self.client, namespace).await?;
        let api: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        for definition in azureml_crds::all()? {
            if api.get_opt(&definition.name_any()).await?.is_some() {
                api.delete(&definition.name_any(), &params).await?;
            }
        }
        let namespaces = Api::<Namespace>::all(self.client);
        if namespaces.get_opt(namespace).await?.is_some() {
            namespaces.delete(namespace, &params).await?;
        }
        Ok(())
    }
}
