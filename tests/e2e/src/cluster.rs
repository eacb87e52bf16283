//! One control plane for all tests of a process: started by the first that needs it, ended with the process.

use anyhow::Result;
use azureml_control_plane::{Binaries, ControlPlane, Options};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

static SHARED: OnceLock<ControlPlane> = OnceLock::new();
static WISH: OnceLock<Options> = OnceLock::new();

/// Says what the control plane is to be like: heard before it is started. Without a word it is a plain one with the
/// operator's definitions.
pub fn wish(options: Options) {
    let _ = WISH.set(options);
}

/// The control plane.
///
/// # Panics
/// When it cannot be started; the message says why.
#[must_use]
#[expect(clippy::panic, reason = "without a control plane no test can say anything")]
pub fn shared() -> &'static ControlPlane {
    SHARED.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Its own thread and runtime: the runtime of the test that comes first ends with that test.
        let started = std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new()?;
            let plain = || Options { crds: definitions(), ..Options::default() };
            let options = WISH.get().cloned().unwrap_or_else(plain);
            runtime.block_on(async { Ok::<_, anyhow::Error>(ControlPlane::start(options).await?) })
        });
        match started.join() {
            Ok(Ok(plane)) => plane,
            Ok(Err(error)) => panic!("the control plane does not start: {error:#}"),
            Err(panicked) => std::panic::resume_unwind(panicked),
        }
    })
}

/// The operator's definitions.
///
/// # Panics
/// When they cannot be made, which is a mistake in the types.
#[must_use]
#[expect(clippy::panic, reason = "without definitions no test can say anything")]
pub fn definitions() -> Vec<CustomResourceDefinition> {
    match azureml_crds::all() {
        Ok(all) => all,
        Err(error) => panic!("the definitions cannot be made: {error}"),
    }
}

static GIVEN: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();

/// Uses a cluster that exists instead: that of a kubeconfig.
///
/// # Panics
/// When there is no kubectl, and none can be built; the message says why.
#[expect(clippy::panic, reason = "without kubectl nothing can be shown")]
pub fn give(kubeconfig: &Path) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubectl = Binaries::find().map(|found| found.kubectl);
    let kubectl = kubectl.unwrap_or_else(|error| panic!("there is no kubectl: {error:#}"));
    let _ = GIVEN.set((kubeconfig.to_owned(), kubectl));
}

/// The administrator's kubeconfig, of the cluster that was given or of the shared control plane.
#[must_use]
pub fn kubeconfig() -> &'static Path {
    GIVEN.get().map_or_else(|| shared().kubeconfig(), |(kubeconfig, _)| kubeconfig)
}

/// A command `kubectl` for it.
#[must_use]
pub fn kubectl() -> Command {
    let Some((kubeconfig, kubectl)) = GIVEN.get() else { return shared().kubectl() };
    let mut command = Command::new(kubectl);
    command.env("KUBECONFIG", kubeconfig);
    command
}

/// A client with the rights of the kubeconfig.
///
/// # Errors
/// When the kubeconfig cannot be read.
pub async fn client() -> Result<Client> {
    if GIVEN.get().is_none() {
        return Ok(tokio::task::spawn_blocking(shared).await?.client().await?);
    }
    let kubeconfig = Kubeconfig::read_from(kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}
