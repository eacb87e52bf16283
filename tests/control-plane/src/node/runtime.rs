//! The settings of containerd and kubelet. In: a control plane, a seat, a network. Out: files in the state folder.
//! Every path is below that folder, or at a place that `start.sh` makes private.

use std::fs;

use serde_json::{Value, json};

use super::network::{NAME_SERVER, Network};
use super::seat::Seat;
use super::{NODE_NAME, machine, pause};
use crate::api_server::free_port;
use crate::control_plane::ControlPlane;
use crate::error::{Error, Result};
use crate::kubeconfig;
use crate::state::State;

/// Writes them.
pub(super) fn write(plane: &ControlPlane, seat: &Seat, network: &Network, state: &State) -> Result<()> {
    state.write("containerd.toml", &containerd(state))?;
    let folder = state.join("cni");
    fs::create_dir(&folder).map_err(Error::file("create", folder))?;
    state.write("cni/pods.conflist", &pods(seat, state).to_string())?;
    keys(plane, state)?;
    state.write("kubelet.yaml", &kubelet(seat, state, [free_port()?, free_port()?]).to_string())?;
    state.write("node-ip", &network.gateway)?;
    Ok(())
}

/// Plain copies of images instead of overlays: they are small, and no file system is then out of the question.
fn containerd(state: &State) -> String {
    let at = |name: &str| state.join(name).display().to_string();
    let plugins = machine::plugins().unwrap_or_default();
    format!(
        r#"version = 2
root = "{root}"
state = "{run}"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{opt}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{cni}"
"#,
        pause = pause::NAME,
        root = at("containerd"),
        run = at("containerd-run"),
        socket = at("containerd.sock"),
        opt = at("containerd-opt"),
        plugins = plugins.display(),
        cni = at("cni"),
    )
}

fn pods(seat: &Seat, state: &State) -> Value {
    let addresses = json!({
        "type": "host-local", "dataDir": state.join("addresses"), "routes": [{"dst": "0.0.0.0/0"}],
        "ranges": [[{"subnet": format!("{}.0/24", seat.subnet())}]],
    });
    let bridge = json!({"type": "bridge", "bridge": seat.bridge(), "isGateway": true, "ipam": addresses});
    json!({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]})
}

/// What kubelet says who it is with, and what the API server knows it by.
fn keys(plane: &ControlPlane, state: &State) -> Result<()> {
    let client = plane.authority.client(&format!("system:node:{NODE_NAME}"), &["system:nodes"])?;
    let server = plane.authority.server(&[NODE_NAME, "127.0.0.1"])?;
    let files = [("client", client), ("server", server)];
    for (name, pair) in files {
        state.write(format!("kubelet-{name}.crt"), &pair.certificate)?;
        state.write(format!("kubelet-{name}.key"), &pair.key)?;
    }
    let user = json!({"client-certificate": state.join("kubelet-client.crt"), "client-key": state.join("kubelet-client.key")});
    state.write("kubelet.kubeconfig", &kubeconfig::text(plane.endpoint(), plane.ca_file(), &user))?;
    // A copy: where the control plane ends first, kubelet is not to stumble over a file that is gone.
    fs::copy(plane.ca_file(), state.join("ca.crt")).map(drop).map_err(Error::file("copy", plane.ca_file()))
}

fn kubelet(seat: &Seat, state: &State, [port, health]: [u16; 2]) -> Value {
    let nothing = json!({"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"});
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": "127.0.0.1", "port": port, "healthzBindAddress": "127.0.0.1", "healthzPort": health,
        "tlsCertFile": state.join("kubelet-server.crt"), "tlsPrivateKeyFile": state.join("kubelet-server.key"),
        "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": false},
            "x509": {"clientCAFile": state.join("ca.crt")}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": format!("unix://{}", state.join("containerd.sock").display()),
        "cgroupDriver": "cgroupfs", "cgroupRoot": format!("/{}", seat.cgroup()), "enforceNodeAllocatable": [],
        // Machines without version 2 of cgroups, with swap, and inside of containers are good enough for tests.
        "failCgroupV1": false, "failSwapOn": false, "oomScoreAdj": 0, "localStorageCapacityIsolation": false,
        "clusterDNS": [NAME_SERVER], "clusterDomain": "cluster.local", "resolvConf": "",
        // A full disk of the machine is not what is tested.
        "evictionHard": nothing, "imageGCHighThresholdPercent": 100,
        "podLogsDir": state.join("pods"), "volumePluginDir": state.join("volume-plugins"),
        "makeIPTablesUtilChains": false, "registerNode": true,
    })
}
