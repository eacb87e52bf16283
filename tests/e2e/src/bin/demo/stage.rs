//! Where the story is told: with the operator as a process of this machine, or as pods of a real node.

use crate::Teller;
use anyhow::{Context as _, Result};
use azureml_control_plane::Node;
use azureml_e2e::installed::SYSTEM;
use azureml_e2e::{Installed, Operator, Scene, Setting, cluster, storage};
use std::path::Path;

/// The operator, and what it works between.
pub enum Stage {
    /// A process.
    Here(Box<Scene>, Operator),
    /// Pods.
    Node(Box<Installed>),
}

/// An Azure that executes steps, with files in a folder.
pub fn setting(folder: &Path) -> Setting {
    let mut setting = Setting::default();
    setting.azure.execute = true;
    setting.azure.dir = Some(folder.to_owned());
    setting
}

/// The arguments of an operator that serves every namespace, so that one can try manifests in a namespace of one's own.
pub fn every_namespace() -> Vec<String> {
    ["--cluster-id", "demo"].map(str::to_owned).to_vec()
}

impl Stage {
    /// A control plane and a process.
    pub async fn here(teller: &Teller, setting: Setting) -> Result<Self> {
        teller.say("starting a Kubernetes API server, a simulated Azure and the operator (what is not built yet is built first)");
        let folder = setting.azure.dir.clone().context("the simulator has no folder")?;
        let mut scene = Scene::set("demo", setting).await?;
        scene.start.arguments = Some(every_namespace());
        storage::put_raw_data(&folder)?;
        let operator = scene.operator().await?;
        teller.say(&format!(
            "Azure is simulated at {}; namespace {}",
            scene.azure.endpoint(),
            scene.namespace
        ));
        Ok(Self::Here(Box::new(scene), operator))
    }

    /// A control plane, a node, the image and the chart.
    pub async fn on_a_node(teller: &Teller, setting: Setting) -> Result<Self> {
        if let Some(reason) = Node::unavailable() {
            anyhow::bail!("{reason}; without --node the operator runs as a process");
        }
        teller.say("starting a Kubernetes API server, a node with containerd and kubelet, and a simulated Azure, and building the operator's image (what is not built yet is built first)");
        let folder = setting.azure.dir.clone().context("the simulator has no folder")?;
        let installed = Installed::prepare("demo", "trial", setting).await?;
        storage::put_raw_data(&folder)?;
        println!("the image: {}", installed.image);
        teller.say("the platform team installs the operator");
        println!(
            "$ helm install azureml-operator charts/azureml-operator --namespace {SYSTEM} --values … --wait"
        );
        println!("{}", installed.helm("install", &[]).await?.trim_end());
        pods(&installed).await?;
        println!("$ helm test azureml-operator --namespace {SYSTEM} --logs");
        println!("{}", installed.helm("test", &["--logs"]).await?.trim_end());
        let scene = &installed.scene;
        teller.say(&format!(
            "pods reach the simulated Azure at {}; namespace {}",
            scene.azure.endpoint(),
            scene.namespace
        ));
        Ok(Self::Node(Box::new(installed)))
    }

    /// The team's namespace, and Azure.
    pub fn scene(&self) -> &Scene {
        match self {
            Self::Here(scene, _) => scene,
            Self::Node(installed) => &installed.scene,
        }
    }

    /// Ends the operator as its owner would.
    pub async fn end(self, teller: &Teller) -> Result<()> {
        match self {
            Self::Here(_, operator) => operator.stop(),
            Self::Node(installed) => {
                teller.say("the operator is removed; objects and Azure stay as they are");
                let since = installed.scene.azure.requests().len();
                println!("$ helm uninstall azureml-operator --namespace {SYSTEM}");
                println!("{}", installed.helm("uninstall", &[]).await?.trim_end());
                println!("Azure received {} writes", installed.scene.writes(since).len());
                Ok(())
            }
        }
    }
}

async fn pods(installed: &Installed) -> Result<()> {
    let (leader, _) = installed.leader_after("").await?;
    println!("$ kubectl --namespace {SYSTEM} get pods --output wide");
    let mut kubectl = cluster::shared().kubectl();
    kubectl.args(["--namespace", SYSTEM, "get", "pods", "--output", "wide"]);
    let output = tokio::task::spawn_blocking(move || kubectl.output()).await??;
    println!("{}", String::from_utf8_lossy(&output.stdout).trim_end());
    println!("{leader} leads");
    Ok(())
}
