//! Flux's helm-controller beside a control plane: it installs and upgrades what HelmReleases say. Charts come to it from the
//! source-controller of [`crate::gitops::Flux`].
//! In: a control plane with Flux. Out: a running controller. May not listen anywhere but on 127.0.0.1.

use std::fs;
use std::path::PathBuf;

use crate::cache::Cache;
use crate::control_plane::ControlPlane;
use crate::crds;
use crate::error::{Error, Result};
use crate::gitops::command;
use crate::go::Module;
use crate::part::Part;

/// Of the release of Flux whose other controllers are in `gitops`.
const VERSION: &str = "1.4.3";
const PROGRAM: &str = "helm-controller";

fn module() -> Module {
    Module {
        name: PROGRAM,
        version: VERSION,
        go_mod: include_str!("../go/helm-controller/go.mod"),
        go_sum: include_str!("../go/helm-controller/go.sum"),
        packages: &["github.com/fluxcd/helm-controller"],
        about: 1900,
        output: "bin/",
        link: "-s -w".into(),
        sources: &[],
        kept: &[("github.com/fluxcd/helm-controller", "config/crd/bases", "crds")],
    }
}

/// The folder with the program and its CRD, built if the cache does not hold them. Blocks meanwhile, which takes minutes.
///
/// # Errors
/// When Go 1.26 is missing, or the build fails.
pub fn build() -> Result<PathBuf> {
    module().entry(&Cache::of_user()?)
}

/// The controller, running. It ends when this is dropped, or when the process ends.
#[derive(Debug)]
pub struct HelmController {
    inside: Part,
}

impl HelmController {
    /// Installs its CRD and starts it with the administrator's rights.
    ///
    /// # Errors
    /// When it cannot be built or started, or the CRD is refused.
    pub async fn start(plane: &ControlPlane) -> Result<Self> {
        let built = tokio::task::spawn_blocking(build).await;
        let entry = built.map_err(|error| Error::Missing {
            what: format!("the search for helm-controller ended early ({error})"),
            remedy: "see the messages above".into(),
        })??;
        plane.install(&crds::read(entry.join("crds"))?).await?;
        let folder = plane.state.join(PROGRAM);
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let mut program = command(plane, &entry, PROGRAM, &folder);
        program.arg("--requeue-dependency=1s");
        Ok(Self { inside: Part::start(PROGRAM, &mut program, &plane.state, None)? })
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
    fn the_stated_version_of_helm_controller_is_that_of_the_module() {
        let line = format!("github.com/fluxcd/helm-controller v{VERSION}");
        assert!(
            module().go_mod.lines().any(|stated| stated.trim().trim_end_matches(" // indirect") == line),
            "{line}"
        );
    }
}
