//! Starts kube-controller-manager with the few controllers that every namespace relies on.

use std::path::Path;
use std::process::Command;

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, Client};

use crate::error::Result;
use crate::part::{Part, ready};
use crate::state::State;

/// Garbage collection, deletion of namespaces, each namespace's default account with its token and authority, and
/// roles that are gathered from others.
/// All others watch what needs nodes. With a comma behind each, but for the last.
const CONTROLLERS: &str = "--controllers=garbage-collector-controller,namespace-controller,serviceaccount-controller,\
                           root-ca-certificate-publisher-controller,serviceaccount-token-controller,\
                           clusterrole-aggregation-controller";
/// Beside these where pods run: what makes them, what finds them, what protects them, and what calls a node ready.
const OF_PODS: &str = ",deployment-controller,replicaset-controller,job-controller,disruption-controller,\
                       endpointslice-controller,node-lifecycle-controller,pod-garbage-collector-controller";

/// Returns when it has made the account that it makes first.
pub(crate) async fn start(
    program: &Path,
    kubeconfig: &Path,
    client: Client,
    state: &State,
    node: bool,
) -> Result<Part> {
    let mut command = Command::new(program);
    command
        .arg(format!("{CONTROLLERS}{}", if node { OF_PODS } else { "" }))
        .args(["--leader-elect=false", "--profiling=false"])
        // Zero means none.
        .args(["--secure-port=0", "--kubeconfig"])
        .arg(kubeconfig)
        .arg("--service-account-private-key-file=service-accounts.key")
        .arg("--root-ca-file=ca.crt");
    let mut part = Part::start("kube-controller-manager", &mut command, state, None)?;
    let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
    let made = async || match accounts.get_opt("default").await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err("there is no default account yet".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    ready(&mut [&mut part], made).await?;
    Ok(part)
}
