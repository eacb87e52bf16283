//! The operator's image, installed by Helm on a real node: from the first pod to the uninstallation. One story, since a
//! node and an image are dear. Where no node can run the reason is printed, and the test is skipped.
#![cfg(target_os = "linux")]

mod built;
mod commands;
mod leaders;
mod looks;
mod releases;

use anyhow::{Result, ensure};
use azureml_control_plane::Node;
use azureml_controller::telemetry::texts;
use azureml_e2e::{Installed, Setting};
use std::io::Write as _;
use std::time::Instant;

/// Written past the test harness, which would keep it until a test has failed.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "node: {line}");
}

/// Does a part of the story and says how long it took.
async fn timed<T>(what: &str, part: impl Future<Output = Result<T>>) -> Result<T> {
    let began = Instant::now();
    let done = Box::pin(part).await?;
    say(&format!("{what}: {:.1} s", began.elapsed().as_secs_f64()));
    Ok(done)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_is_installed_by_helm_works_fails_over_and_is_removed_without_a_trace_in_azure()
-> Result<()> {
    if let Some(reason) = Node::unavailable() {
        say(&format!("skipped: {reason}"));
        return Ok(());
    }
    let installed =
        timed("cluster, node and image", Installed::prepare("team", "trial", Setting::default())).await?;
    looks::of_the_image(&installed)?;
    timed("helm install --wait", installed.helm("install", &[])).await?;
    looks::of_the_pods(&installed).await?;
    timed("both examples ready", releases::examples(&installed)).await?;
    let said = timed("helm test", installed.helm("test", &["--logs"])).await?;
    ensure!(said.contains(texts::ALL_READABLE), "{said}");
    leaders::deleted(&installed).await?;
    leaders::killed(&installed).await?;
    timed("commands of the book", commands::run(&installed)).await?;
    timed("helm upgrade", releases::upgraded(&installed)).await?;
    timed("helm rollback", releases::rolled_back(&installed)).await?;
    timed("helm uninstall", Box::pin(releases::uninstalled(&installed))).await?;
    installed.scene.check_contract()
}

#[test]
fn what_the_operator_writes_for_conda_and_packages_is_built_offline() -> Result<()> {
    if let Some(reason) = built::unavailable() {
        say(&format!("skipped: {reason}"));
        return Ok(());
    }
    let workshop = built::Workshop::open()?;
    built::conda(&workshop)?;
    built::packages(&workshop)
}
