//! The demo: to its end on this machine, and on a cluster that exists, where it says what it makes, asks, and leaves nothing,
//! also when it is interrupted. On a node it is run by hand; the tests on a node go the same way.

use crate::docs::walk::is_like;
use anyhow::{Context as _, Result, ensure};
use azureml_control_plane::{ControlPlane, Guarded, Options};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// A cluster of somebody else's.
async fn cluster() -> Result<ControlPlane> {
    Ok(ControlPlane::start(Options::default()).await?)
}

fn demo(plane: &ControlPlane) -> Command {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.arg("--kubeconfig").arg(plane.kubeconfig()).stdin(Stdio::null());
    demo
}

/// Everything that a cluster has before the demo, and after it.
fn everything(plane: &ControlPlane) -> Result<String> {
    let output = plane.kubectl().args(["get", "crds,namespaces,clusterroles", "--output=name"]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test]
async fn where_nobody_can_be_asked_it_says_what_it_would_make_and_makes_nothing() -> Result<()> {
    let plane = cluster().await?;
    let before = everything(&plane)?;
    let output = demo(&plane).output()?;
    let (said, error) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(!output.status.success() && error.contains("--yes goes on"), "{error}");
    for made in ["the namespace azureml-demo-1", "the definition mlruns.azureml.dev"] {
        ensure!(said.contains(made), "it does not say {made:?}: {said}");
    }
    ensure!(everything(&plane)? == before, "the cluster was changed");
    Ok(())
}

/// Runs it to its end, and says what it told.
fn told(demo: &mut Command) -> Result<String> {
    let output = demo.stdin(Stdio::null()).output()?;
    let (said, error) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(output.status.success(), "{said}\n{error}");
    for part in [
        "everything is ready",
        "a run now",
        "nothing changes, neither here nor in Azure",
        "that was the story",
    ] {
        ensure!(said.contains(part), "it does not tell {part:?}: {said}");
    }
    Ok(said)
}

/// The book shows what was printed.
fn recorded(said: &str) -> Result<()> {
    let blocks = azureml_e2e::book::blocks("docs/src/recorded-run.md")?;
    let shown: Vec<&str> =
        blocks.iter().filter(|block| block.is("demo")).map(|block| block.text.as_str()).collect();
    ensure!(shown.len() > 3, "the page shows no run");
    let page = format!("…\n{}\n…", shown.join("\n…\n"));
    ensure!(is_like(&page, said), "docs/src/recorded-run.md shows\n{page}\nand this was printed:\n{said}");
    Ok(())
}

#[test]
fn the_whole_story_is_told_on_this_machine_with_steps_that_really_ran() -> Result<()> {
    let said = told(&mut Command::new(env!("CARGO_BIN_EXE_demo")))?;
    let has_r = said.contains("the model's metrics.json");
    // What the Python steps add up: 1 to 1000.
    let has_python = said.contains("\"sum\": 500500") && said.contains("r-cran-gbm");
    ensure!(has_r != has_python, "either the R steps ran, or Python's and it says what R needs: {said}");
    if has_r {
        recorded(&said)?;
    }
    Ok(())
}

#[test]
fn a_demo_that_stays_serves_another_namespace_by_the_commands_that_it_prints() -> Result<()> {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    let mut demo = Guarded::spawn(demo.arg("--keep"), Stdio::piped(), Stdio::null())?;
    let lines = BufReader::new(demo.stdout().context("no output")?).lines().map_while(Result::ok);
    let printed: Vec<_> = lines
        .skip_while(|line| !line.starts_with("Look around"))
        .take_while(|line| !line.starts_with("Ctrl-C here"))
        .collect();
    let commands: Vec<_> = printed.iter().filter_map(|line| line.strip_prefix("  ")).collect();
    ensure!(commands.len() > 8, "the commands are not found: {printed:?}");
    let finished = "kubectl wait --for=jsonpath='{.status.phase}'=Succeeded mlruns --all --timeout=90s";
    let script = format!("set -euo pipefail\n{}\n{finished}\n", commands.join("\n"));
    let output = Command::new("bash").args(["-c", &script]).current_dir(azureml_e2e::root()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}\n{said}\n{error}");
    ensure!(said.contains("namespace/my-team created"), "{said}");
    demo.signal("INT");
    ensure!(demo.wait()?.success(), "it did not end well");
    Ok(())
}

#[tokio::test]
async fn the_whole_story_is_told_on_a_cluster_that_is_left_as_it_was() -> Result<()> {
    let plane = cluster().await?;
    let before = everything(&plane)?;
    let said = told(demo(&plane).arg("--yes"))?;
    ensure!(said.contains("the cluster is as it was before"), "{said}");
    ensure!(everything(&plane)? == before, "left: {}", everything(&plane)?);
    Ok(())
}

#[tokio::test]
async fn interrupted_in_the_middle_of_the_story_it_removes_what_it_made() -> Result<()> {
    let plane = cluster().await?;
    let before = everything(&plane)?;
    let mut demo = Guarded::spawn(demo(&plane).arg("--yes"), Stdio::piped(), Stdio::null())?;
    let lines = BufReader::new(demo.stdout().context("no output")?).lines();
    let mut rest = lines.map_while(Result::ok).skip_while(|line| !line.contains("everything is ready"));
    ensure!(rest.next().is_some(), "it never came so far");
    ensure!(everything(&plane)? != before, "what is to be removed was never made");
    demo.signal("INT");
    let said: Vec<_> = rest.collect();
    ensure!(!demo.wait()?.success(), "it ended as if it had told everything");
    ensure!(said.iter().any(|line| line.contains("the cluster is as it was before")), "{said:?}");
    ensure!(everything(&plane)? == before, "left: {}", everything(&plane)?);
    Ok(())
}
