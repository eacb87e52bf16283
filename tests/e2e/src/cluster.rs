//! One control plane for all tests of a binary: started by the first that needs it, ended with the process.

use azureml_control_plane::{ControlPlane, Options};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use std::sync::OnceLock;

static SHARED: OnceLock<ControlPlane> = OnceLock::new();

/// The control plane, with the operator's definitions installed.
///
/// # Panics
/// When it cannot be started; the message says why.
#[must_use]
pub fn shared() -> &'static ControlPlane {
    shared_as(|| Options { crds: definitions(), ..Options::default() })
}

/// The control plane as the first that needs it wants it: a test binary of which all tests call this before anything else.
///
/// # Panics
/// When it cannot be started; the message says why.
#[expect(clippy::panic, reason = "without a control plane no test can say anything")]
pub fn shared_as(options: fn() -> Options) -> &'static ControlPlane {
    SHARED.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Its own thread and runtime: the runtime of the test that comes first ends with that test.
        let started = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new()?;
            let options = options();
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
