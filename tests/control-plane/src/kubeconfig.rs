//! Kubeconfig files, and clients made from them.

use std::path::Path;

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// The text of a kubeconfig with one cluster and one user, whose credentials are the fields of `user`.
pub(crate) fn text(endpoint: &str, ca: &Path, user: &Value) -> String {
    let cluster = json!({"server": endpoint, "certificate-authority": ca});
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "control-plane", "cluster": cluster}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "control-plane", "context": {"cluster": "control-plane", "user": "user"}}],
        "current-context": "control-plane",
    });
    // JSON, which every reader of a kubeconfig takes as the YAML that it is.
    format!("{config:#}\n")
}

/// A client with the rights of a kubeconfig. It repeats nothing by itself.
pub(crate) async fn client(path: &Path) -> Result<Client> {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let syntax =
        |error: kube::config::KubeconfigError| Error::Syntax { path: path.into(), reason: error.to_string() };
    let kubeconfig = Kubeconfig::read_from(path).map_err(syntax)?;
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(syntax)?;
    config.default_retry = false;
    Client::try_from(config).map_err(Error::kube("make a client"))
}
