//! What the tests of this crate share: deadlines, a kind of their own, and commands whose output is read.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper of tests fails by panicking")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use azureml_control_plane::ControlPlane;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::json;

/// The longest that any condition is waited for.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Waits for a future, and fails the test when it takes longer than [`DEADLINE`].
pub async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it takes longer than a minute")
}

/// Waits until a condition that nothing announces is true.
pub async fn until(mut condition: impl AsyncFnMut() -> bool) {
    while !condition().await {
        tokio::task::yield_now().await;
    }
}

/// The standard output of a command that succeeds, else its standard error.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().expect("the program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A file of this crate.
pub fn crate_file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The objects of the kind in `tests/crds`, in the default namespace.
pub async fn trials(plane: &ControlPlane) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("test.azureml.dev", "v1", "Trial");
    Api::default_namespaced_with(plane.client().await.unwrap(), &ApiResource::from_gvk(&kind))
}

/// One of them.
pub fn trial(name: &str, trees: i32) -> DynamicObject {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("test.azureml.dev", "v1", "Trial"));
    DynamicObject::new(name, &kind).data(json!({"spec": {"trees": trees}}))
}
