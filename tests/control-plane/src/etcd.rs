//! Starts etcd for one control plane, on a socket in the state folder: no port to clash, and nobody else can connect.

use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::part::Part;
use crate::state::State;

/// Its data, in the state folder.
pub(crate) const DATA: &str = "etcd";
const SOCKET: &str = "etcd.sock";
/// A single member never calls itself, but has to state an address.
const UNUSED: &str = "http://127.0.0.1:1";

pub(crate) fn start(program: &Path, state: &State) -> Result<Part> {
    let mut command = Command::new(program);
    command
        .args(["--data-dir", DATA, "--unsafe-no-fsync", "--log-level=warn", "--name=control-plane"])
        .arg(format!("--listen-client-urls={}", address(state)))
        .args(["--listen-peer-urls=http://127.0.0.1:0".into(), format!("--advertise-client-urls={UNUSED}")])
        .arg(format!("--initial-advertise-peer-urls={UNUSED}"))
        .arg(format!("--initial-cluster=control-plane={UNUSED}"));
    Part::start("etcd", &mut command, state, Some(state.path()))
}

/// Where the API server finds it.
pub(crate) fn address(state: &State) -> String {
    format!("unix://{}", state.join(SOCKET).display())
}
