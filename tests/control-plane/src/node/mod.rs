//! A real node beside a [`ControlPlane`] on this machine: containerd and kubelet, a scheduler, a registry to pull from, and
//! the way from pods to servers on 127.0.0.1. In: a control plane that was started for nodes. Out: pods that run.
//!
//! Everything of it lives in namespaces of its own for processes and mounts, below one cgroup, behind one bridge: when it
//! ends, or its owner is killed, the kernel ends the processes and mounts, and `leave.sh` removes the rest. Several run
//! side by side. Needs root. May not listen anywhere but on 127.0.0.1.

mod machine;
mod network;
pub(crate) mod pause;
mod registry;
mod runtime;
mod seat;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use k8s_openapi::api::core::v1::Node as NodeObject;
use kube::Api;

use crate::binaries::NodeBinaries;
use crate::control_plane::ControlPlane;
use crate::error::{Error, Result};
use crate::part::{Part, ready};
use crate::progress;
use crate::state::State;
use network::Network;
pub use registry::Registry;
use seat::Seat;

/// The name of the node, under which the API server reaches its kubelet.
pub const NODE_NAME: &str = "localhost";
const START: &str = include_str!("start.sh");

/// A running node. It ends when this is dropped, or when the process ends, however that happens.
#[derive(Debug)]
pub struct Node {
    // Dropped in this order: pods go before what they talk to.
    /// containerd and kubelet, with everything that they start.
    kubelet: Part,
    scheduler: Part,
    network: Network,
    registry: Registry,
    state: State,
}

impl Node {
    /// Why no node can run here, or `None`. Where the variable `CI` is set, or `AZUREML_REQUIRE_NODE`, a missing package is
    /// no reason: see [`Node::start`], which then fails.
    #[must_use]
    pub fn unavailable() -> Option<String> {
        machine::unavailable()
    }

    /// The node's own programs, found or built; where its kubelet is. Blocks meanwhile.
    ///
    /// # Errors
    /// When Go 1.26 is missing, or a build fails.
    pub fn build() -> Result<PathBuf> {
        Ok(NodeBinaries::find()?.kubelet)
    }

    /// Starts one beside a control plane: about six seconds when its programs are at hand.
    ///
    /// # Errors
    /// When the control plane was not started for nodes, a program is missing, or a part does not start (with its log).
    pub async fn start(plane: &ControlPlane) -> Result<Self> {
        let programs = tokio::task::spawn_blocking(NodeBinaries::find).await;
        let programs = programs.map_err(|error| Error::Missing {
            what: format!("the search for the node's programs ended early ({error})"),
            remedy: "see the messages above".into(),
        })??;
        machine::check()?;
        let state = State::create()?;
        let started = Self::start_in(plane, &programs, &state).await;
        let (kubelet, scheduler, network, registry) = started.inspect_err(|_| state.keep())?;
        Ok(Self { kubelet, scheduler, network, registry, state })
    }

    async fn start_in(
        plane: &ControlPlane,
        programs: &NodeBinaries,
        state: &State,
    ) -> Result<(Part, Part, Network, Registry)> {
        let seat = Seat::take(state)?;
        let registry = Registry::start(state).await?;
        let network = Network::make(&seat, state, plane.endpoint())?;
        runtime::write(plane, &seat, &network, state)?;
        let mut scheduler = scheduler(&programs.scheduler, plane.kubeconfig(), state)?;
        // Should even its guard be killed, the node goes too.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--pid", "--mount", "--mount-proc", "--fork"]);
        command.args(["--kill-child=KILL", "--", "sh", "-c", START, "start"]);
        command.arg(state.path()).arg(seat.cgroup()).arg(&programs.kubelet).arg(&programs.pause);
        let mut kubelet = Part::seated("node", &mut command, state, seat.into_lock())?;
        let nodes: Api<NodeObject> = Api::all(plane.client().await?);
        let is_ready = async || is_ready(&nodes).await;
        ready(&mut [&mut scheduler, &mut kubelet], is_ready).await?;
        Ok((kubelet, scheduler, network, registry))
    }

    /// The registry that its containers' images are pulled from.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Lets pods reach a server that listens on 127.0.0.1 of this machine at a port: under the same port of every name that
    /// ends with [`Node::DOMAIN`].
    ///
    /// # Errors
    /// When the rule cannot be made.
    pub fn offer(&self, port: u16) -> Result<()> {
        self.network.offer(port)
    }

    /// Names of pods' servers on this machine end with it: `azure.test`, for example.
    pub const DOMAIN: &str = "test";

    /// The folder with the logs `containerd.log`, `kubelet.log`, `kube-scheduler.log`, `registry.log` and `pods/`.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The processes of a container, as this machine numbers them.
    ///
    /// # Errors
    /// When the cgroups cannot be read.
    pub fn processes(&self, container_id: &str) -> Result<Vec<u32>> {
        seat::processes(container_id.rsplit('/').next().unwrap_or_default())
    }

    /// An error with the end of the log when a part has ended.
    ///
    /// # Errors
    /// [`Error::Ended`], which names the part.
    pub fn check(&mut self) -> Result<()> {
        self.kubelet.alive()?;
        self.scheduler.alive()
    }
}

fn scheduler(program: &Path, kubeconfig: &Path, state: &State) -> Result<Part> {
    let mut command = Command::new(program);
    command.args(["--leader-elect=false", "--profiling=false", "--secure-port=0"]);
    command.arg("--kubeconfig").arg(kubeconfig);
    Part::start("kube-scheduler", &mut command, state, None)
}

async fn is_ready(nodes: &Api<NodeObject>) -> std::result::Result<(), String> {
    let node = nodes.get_opt(NODE_NAME).await.map_err(|error| error.to_string())?;
    let node = node.ok_or("it is not registered yet")?;
    let taints = node.spec.and_then(|spec| spec.taints).unwrap_or_default();
    let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    match ready {
        Some(ready) if ready.status == "True" && taints.is_empty() => Ok(()),
        Some(ready) => Err(format!("{} {taints:?}", ready.message.clone().unwrap_or_default())),
        None => Err("it says nothing of itself yet".into()),
    }
}

/// Runs a program of the system and gives what it prints.
fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output = progress::during(program, || command.output());
    let output = output.map_err(|source| Error::Spawn { program: program.to_owned(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let tail = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Failed { what: format!("`{program} {}`", arguments.join(" ")), status: output.status, tail })
}
