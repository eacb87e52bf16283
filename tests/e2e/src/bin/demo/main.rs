//! `cargo xtask demo`: the story, between a real API server and a simulated Azure, in under a minute.
//!
//! On this machine with the operator as a process; with `--node` as pods, installed by Helm on a real node; with
//! `--kubeconfig` on a cluster that exists. Prints what is applied, what Azure received, and the tables that kubectl prints.

mod given;
mod kept;
mod stage;
mod story;

use anyhow::Result;
use azureml_control_plane::progress;
use clap::Parser;
use stage::Stage;
use std::path::PathBuf;
use std::time::Instant;

/// Shows the whole story.
#[derive(Parser)]
pub struct Arguments {
    /// Leave everything running at the end, and print how to look at it.
    #[arg(long)]
    keep: bool,
    /// Install the operator's image by Helm on a real node of this machine. Needs root, cgroups and a few packages.
    #[arg(long)]
    node: bool,
    /// Use a cluster that exists: that of the current context of this kubeconfig.
    #[arg(long, value_name = "FILE", conflicts_with = "node")]
    kubeconfig: Option<PathBuf>,
    /// With --kubeconfig: do not ask before the cluster is changed.
    #[arg(long, requires = "kubeconfig")]
    yes: bool,
}

/// Tells what happens, with the time.
pub struct Teller {
    began: Instant,
}

impl Teller {
    fn say(&self, text: &str) {
        println!("\n[{:5.1} s] {text}", self.began.elapsed().as_secs_f64());
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let teller = Teller { began: Instant::now() };
    if let Some(kubeconfig) = &arguments.kubeconfig {
        return given::told(&teller, kubeconfig, arguments.yes, arguments.keep).await;
    }
    let folder = tempfile::tempdir()?;
    let setting = stage::setting(folder.path());
    let stage = if arguments.node {
        progress::waiting("starting", Stage::on_a_node(&teller, setting)).await?
    } else {
        progress::waiting("starting", Stage::here(&teller, setting)).await?
    };
    story::told(&teller, stage.scene(), folder.path()).await?;
    if arguments.keep {
        kept::keep(&stage.scene().namespace).await?;
    }
    stage.end(&teller).await
}
