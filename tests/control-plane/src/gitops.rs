//! GitOps beside a control plane: Flux's source-controller and kustomize-controller as processes on loopback, with their
//! CRDs, and a program that judges objects as kstatus, Flux and Argo CD do.
//! In: a control plane. Out: running controllers, or verdicts. May not listen anywhere but on 127.0.0.1.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, thread};

use serde_json::Value;

use crate::cache::Cache;
use crate::control_plane::ControlPlane;
use crate::error::{Error, Result};
use crate::go::Module;
use crate::part::Part;
use crate::{api_server, crds};

/// Of both controllers.
const FLUX_VERSION: &str = "1.7.3";

/// Flux's two controllers with their CRDs, and the program that judges objects: one module, so that what they share is
/// compiled once.
fn module() -> Module {
    Module {
        name: "gitops",
        version: FLUX_VERSION,
        go_mod: include_str!("../go/gitops/go.mod"),
        go_sum: include_str!("../go/gitops/go.sum"),
        packages: &[
            "github.com/fluxcd/source-controller",
            "github.com/fluxcd/kustomize-controller",
            "azureml.dev/control-plane/gitops/verdicts",
        ],
        about: 2400,
        output: "bin/",
        link: "-s -w".into(),
        sources: &[
            ("verdicts/main.go", include_str!("../go/gitops/verdicts/main.go")),
            ("verdicts/health.go", include_str!("../go/gitops/verdicts/health.go")),
        ],
        kept: &[
            ("github.com/fluxcd/source-controller", "config/crd/bases", "source-crds"),
            ("github.com/fluxcd/kustomize-controller", "config/crd/bases", "kustomize-crds"),
        ],
    }
}

/// The GitOps programs of the user's cache, built if it does not hold them. Blocks meanwhile, which takes minutes.
///
/// # Errors
/// When Go 1.26 is missing, or the build fails.
pub fn build() -> Result<PathBuf> {
    module().entry(&Cache::of_user()?)
}

/// Flux's controllers, running. They end when this is dropped, or when the process ends.
#[derive(Debug)]
pub struct Flux {
    source: Part,
    kustomize: Part,
}

impl Flux {
    /// Installs Flux's CRDs and starts its controllers with the administrator's rights.
    ///
    /// # Errors
    /// When they cannot be built or started, or a CRD is refused.
    pub async fn start(plane: &ControlPlane) -> Result<Self> {
        let built = tokio::task::spawn_blocking(build).await;
        let entry = built.map_err(|error| Error::Missing {
            what: format!("the search for the GitOps programs ended early ({error})"),
            remedy: "see the messages above".into(),
        })??;
        for folder in ["source-crds", "kustomize-crds"] {
            plane.install(&crds::read(entry.join(folder))?).await?;
        }
        let storage = format!("127.0.0.1:{}", api_server::free_port()?);
        let folder = plane.state.join("flux");
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let mut source = command(plane, &entry, "source-controller", &folder);
        source.arg(format!("--storage-addr={storage}")).arg(format!("--storage-adv-addr={storage}"));
        source.arg("--storage-path").arg(&folder);
        let mut kustomize = command(plane, &entry, "kustomize-controller", &folder);
        // A wait for health keeps one of the workers busy.
        kustomize.args(["--requeue-dependency=1s", "--concurrent=20"]);
        // As the how-to says: a commit that waits for ever must not keep the one back that mends it.
        kustomize.arg("--feature-gates=CancelHealthCheckOnNewRevision=true");
        Ok(Self {
            source: Part::start("source-controller", &mut source, &plane.state, None)?,
            kustomize: Part::start("kustomize-controller", &mut kustomize, &plane.state, None)?,
        })
    }

    /// An error with the end of the log when a controller has ended.
    ///
    /// # Errors
    /// [`Error::Ended`], which names it.
    pub fn check(&mut self) -> Result<()> {
        self.source.alive()?;
        self.kustomize.alive()
    }
}

/// One of the controllers, without the addresses that it would listen on everywhere.
pub(crate) fn command(plane: &ControlPlane, entry: &Path, program: &str, folder: &Path) -> Command {
    let mut command = Command::new(entry.join("bin").join(program));
    command.args(["--metrics-addr=0", "--health-addr=0", "--interval-jitter-percentage=0"]);
    command.env("RUNTIME_NAMESPACE", "flux-system").env("KUBECONFIG", plane.kubeconfig());
    command.env("TMPDIR", folder).env("TUF_ROOT", folder).env("HOME", folder);
    command
}

/// What kstatus, Flux's fork of it and a health script of Argo CD say of objects: a list of `{kstatus, flux, health}`
/// with `{status, message}` each, for a list of `{object, script}`.
///
/// # Errors
/// When the program cannot be built or run, an object is none, or a script is not as Argo CD takes it.
pub fn verdicts(questions: &Value) -> Result<Value> {
    let program = build()?.join("bin/verdicts");
    let failed = |source| Error::Spawn { program: "verdicts".into(), source };
    let mut command = Command::new(&program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut judge = command.spawn().map_err(failed)?;
    let (input, text) = (judge.stdin.take(), questions.to_string());
    let writer = thread::spawn(move || input.map(|mut input| input.write_all(text.as_bytes())));
    let output = judge.wait_with_output().map_err(failed)?;
    drop(writer.join());
    if !output.status.success() {
        let tail = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::Failed { what: "judging objects".into(), status: output.status, tail });
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::Syntax { path: program, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_version_of_flux_is_that_of_the_module() {
        for controller in ["source-controller", "kustomize-controller"] {
            let line = format!("github.com/fluxcd/{controller} v{FLUX_VERSION}");
            let mut lines = module().go_mod.lines();
            assert!(lines.any(|stated| stated.trim().trim_end_matches(" // indirect") == line), "{line}");
        }
    }
}
