//! `control-plane`: starts one control plane and says on one line of JSON where it is, until Ctrl-C or SIGTERM.
//! For people who want a cluster to try manifests on, and for tests in other languages.

use std::path::PathBuf;

use anyhow::Context as _;
use azureml_control_plane::{
    Binaries, ControlPlane, Node, Options, crds, gitops, helm, helm_controller, progress,
};
use clap::Parser;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Starts a real Kubernetes control plane on 127.0.0.1, and prints one line of JSON when it is ready.
#[derive(Parser)]
#[command(name = "control-plane", version)]
struct Arguments {
    /// CRDs to install first: a YAML file, or a folder of them.
    #[arg(long, value_name = "PATH")]
    crds: Vec<PathBuf>,
    /// The port to try first.
    #[arg(long)]
    port: Option<u16>,
    /// An older release of Kubernetes to behave as, 1.33 for example.
    #[arg(long, value_name = "VERSION")]
    emulated_version: Option<String>,
    /// With a node, on which pods run. Needs root, cgroups and a few packages, which it names.
    #[arg(long)]
    node: bool,
    /// Keep keys, kubeconfigs and logs afterwards.
    #[arg(long)]
    keep_state: bool,
    /// Only find or build the programs, with those of a node and of the GitOps tools, and print where they are.
    #[arg(long, exclusive = true)]
    build: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.build {
        println!("{}", built()?);
        return Ok(());
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (plane, node) = tokio::select! {
        started = progress::waiting("starting a control plane", start(arguments)) => started?,
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    println!("{}", line(&plane, node.as_ref()));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Everything that a test would build when it first needs it.
fn built() -> anyhow::Result<serde_json::Value> {
    let found = Binaries::find()?;
    // Where no node can run, nothing asks for its programs.
    let node = Node::unavailable().is_none().then(Node::build).transpose()?;
    Ok(json!({
        "etcd": found.etcd,
        "kubeApiserver": found.api_server,
        "kubectl": found.kubectl,
        "kubeControllerManager": found.controller_manager,
        "kubelet": node,
        "helm": helm::find()?,
        "gitops": gitops::build()?,
        "helmController": helm_controller::build()?,
    }))
}

async fn start(arguments: Arguments) -> anyhow::Result<(ControlPlane, Option<Node>)> {
    let with_node = arguments.node;
    let plane = ControlPlane::start(options(arguments)?).await.context("no control plane")?;
    let node = if with_node { Some(Node::start(&plane).await.context("no node")?) } else { None };
    Ok((plane, node))
}

fn options(arguments: Arguments) -> anyhow::Result<Options> {
    let mut installed = Vec::new();
    for path in &arguments.crds {
        installed.extend(crds::read(path)?);
    }
    Ok(Options {
        crds: installed,
        port: arguments.port,
        emulated_version: arguments.emulated_version,
        keep_state: arguments.keep_state,
        node: arguments.node,
        ..Options::default()
    })
}

fn line(plane: &ControlPlane, node: Option<&Node>) -> serde_json::Value {
    json!({
        "endpoint": plane.endpoint(),
        "caFile": plane.ca_file(),
        "kubeconfig": plane.kubeconfig(),
        "kubectl": plane.kubectl().get_program().to_string_lossy(),
        "state": plane.state(),
        "node": node.map(Node::state),
    })
}
