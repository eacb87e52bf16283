//! A real Kubernetes control plane on loopback for tests: etcd, kube-apiserver and the few controllers that clusters
//! cannot do without. In: [`Options`]. Out: a [`ControlPlane`] with kubeconfigs, kubectl, Helm and clients; several run
//! side by side. Its processes end with their owner, however that ends ([`Guarded`]). Programs come from
//! `KUBEBUILDER_ASSETS` or the user's cache, are downloaded or built. May not listen anywhere but on 127.0.0.1. Pods run on a
//! [`node::Node`] beside it, where the machine allows one.

mod access;
mod api_server;
pub mod argo;
mod binaries;
pub mod cache;
mod control_plane;
mod controller_manager;
pub mod crds;
mod error;
mod etcd;
mod far;
mod fetch;
pub mod gitops;
mod go;
mod guard;
pub mod helm;
pub mod helm_controller;
mod kubeconfig;
mod modules;
pub mod node;
mod official;
mod options;
mod part;
mod pki;
pub mod progress;
mod state;

use std::io::Write as _;

pub use access::Identity;
pub use binaries::Binaries;
pub use cache::Cache;
pub use control_plane::ControlPlane;
pub use error::{Error, Result};
pub use guard::Guarded;
pub use node::Node;
pub use options::Options;

/// Progress, for people who wait. Written past the test harness, which would hold it back until a test has failed.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "control plane: {line}");
}
