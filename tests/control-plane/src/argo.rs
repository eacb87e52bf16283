//! The whole of Argo CD beside a control plane: application-controller, repo-server and Debian's Redis, in a network of
//! their own, since its metrics listen on every address. By hand and not in the gate: it builds for long.
//! In: a control plane, ports to be reached. Out: running processes, or a program to ask. Needs root.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use crate::cache::Cache;
use crate::control_plane::ControlPlane;
use crate::crds;
use crate::error::{Error, Result};
use crate::go::Module;
use crate::part::Part;

/// Of everything that is built here.
pub const VERSION: &str = "3.2.3";
const SCRIPT: &str = include_str!("argo.sh");

fn module() -> Module {
    Module {
        name: "argo-cd",
        version: VERSION,
        go_mod: include_str!("../go/argo-cd/go.mod"),
        go_sum: include_str!("../go/argo-cd/go.sum"),
        packages: &["github.com/argoproj/argo-cd/v3/cmd"],
        about: 2200,
        output: "bin/argocd",
        link: "-s -w".into(),
        sources: &[],
        kept: &[("github.com/argoproj/argo-cd/v3", "manifests/crds", "crds")],
    }
}

/// The folder with `bin/argocd` and Argo CD's `crds`, built if the cache does not hold it. Blocks meanwhile, which takes
/// about eight minutes on two cores.
///
/// # Errors
/// When Go 1.26 is missing, or the build fails.
pub fn build() -> Result<PathBuf> {
    module().entry(&Cache::of_user()?)
}

/// The CRDs of its Applications and projects, which need no program.
///
/// # Errors
/// When they cannot be fetched or read.
pub fn definitions() -> Result<Vec<CustomResourceDefinition>> {
    let folder = module().kept_alone(&Cache::of_user()?)?.join("crds");
    let mut found = crds::read(folder.join("application-crd.yaml"))?;
    found.extend(crds::read(folder.join("appproject-crd.yaml"))?);
    Ok(found)
}

/// Argo CD, running. It ends when this is dropped, or when the process ends.
#[derive(Debug)]
pub struct Argo {
    inside: Part,
    _bridges: Vec<Part>,
}

impl Argo {
    /// Installs Argo CD's CRDs and starts it for the namespace `argocd`, where its ConfigMaps have to be already.
    /// Ports of 127.0.0.1 are reached from inside under the same numbers: that of a Git server for example.
    ///
    /// # Errors
    /// When it cannot be built or started, or a CRD is refused.
    pub async fn start(plane: &ControlPlane, ports: &[u16]) -> Result<Self> {
        let built = tokio::task::spawn_blocking(build).await;
        let entry = built.map_err(|error| Error::Missing {
            what: format!("the search for Argo CD ended early ({error})"),
            remedy: "see the messages above".into(),
        })??;
        for name in ["application-crd.yaml", "appproject-crd.yaml"] {
            plane.install(&crds::read(entry.join("crds").join(name))?).await?;
        }
        let folder = plane.state.join("argo-cd");
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let api = plane.endpoint().rsplit(':').next().unwrap_or_default().to_owned();
        let ports: Vec<String> = ports.iter().map(u16::to_string).chain([api]).collect();
        let mut bridges = Vec::new();
        for port in &ports {
            let mut socat = Command::new("socat");
            let socket = folder.join(format!("{port}.sock"));
            socat.arg(format!("UNIX-LISTEN:{},fork", socket.display())).arg(format!("TCP:127.0.0.1:{port}"));
            bridges.push(Part::start("socat", &mut socat, &plane.state, None)?);
        }
        let mut command = Command::new("unshare");
        command.args(["--net", "--pid", "--fork", "--kill-child", "sh", "-c", SCRIPT, "argo.sh"]);
        command.arg(entry.join("bin/argocd")).arg(&folder).args(&ports);
        command.env("KUBECONFIG", plane.kubeconfig()).env("HOME", &folder).env("TMPDIR", &folder);
        command.env("ARGOCD_FAKE_IN_CLUSTER", "true").env("ARGOCD_GPG_ENABLED", "false");
        let inside = Part::start("argocd-application-controller", &mut command, &plane.state, None)?;
        Ok(Self { inside, _bridges: bridges })
    }

    /// An error with the end of the log when it has ended.
    ///
    /// # Errors
    /// [`Error::Ended`].
    pub fn check(&mut self) -> Result<()> {
        self.inside.alive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_version_of_argo_cd_is_that_of_the_module() {
        let line = format!("github.com/argoproj/argo-cd/v3 v{VERSION}");
        let mut lines = module().go_mod.lines();
        assert!(
            lines.any(|stated| stated.trim().trim_end_matches(" // indirect").ends_with(&line)),
            "{line}"
        );
    }
}
