//! What a caller may choose about a control plane.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

/// What a control plane is to be like. The default is a plain one of the newest release.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Installed before the controller manager starts. Its garbage collector looks for new kinds only every 30 s, so
    /// what is installed here is collected at once, and what is installed later up to half a minute late.
    pub crds: Vec<CustomResourceDefinition>,
    /// An older release to behave as, `1.33` for example: the API server's `--emulated-version`.
    pub emulated_version: Option<String>,
    /// The port to try first. Where it is taken, or none is named, a free one is chosen.
    pub port: Option<u16>,
    /// More arguments for kube-apiserver, `--feature-gates=…` for example.
    pub api_server_arguments: Vec<String>,
    /// Keeps an audit log: who asked what of the API server, and which role allowed it, see
    /// [`crate::ControlPlane::audit_log`].
    pub audit: bool,
    /// Whether pods are to run: with the controllers of their owners, and with what the API server asks of nodes. A
    /// [`crate::Node`] is started beside it.
    pub node: bool,
    /// Keeps the state folder, with its logs, when the control plane ends. It is also kept when a start fails and when
    /// a test panics.
    pub keep_state: bool,
}
