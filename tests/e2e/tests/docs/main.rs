//! The documentation is true: its commands run, its manifests are accepted, its runbook is complete.
//! Pages are walked from top to bottom, as a user types them, on a real API server with the real operator and a simulated Azure.

mod blocks;
mod call;
mod inline;
mod install;
mod reasons;
mod reference;
mod role;
mod stage;
mod tenants;
mod walk;

use anyhow::Result;
use azureml_e2e::book as pages;
use stage::{place, shared};
use walk::walk;

/// The pages that are walked, in the order in which they build on each other; each line is one reader.
const WALKS: [&[&str]; 7] = [
    &["quickstart.md"],
    &[
        "tutorial.md",
        "concepts/passes.md",
        "concepts/versions.md",
        "concepts/drift.md",
        "how-to/call.md",
        "how-to/rollback.md",
        "how-to/gitops.md",
        "operations/runbook.md",
        "operations/alerts.md",
        "how-to/resize.md",
        "concepts/deletion.md",
    ],
    &["how-to/adopt.md"],
    &["how-to/workspaces.md"],
    &["reference/command-line.md"],
    &["how-to/steps.md", "how-to/run.md"],
    // On stages of their own.
    &["how-to/grants.md", "how-to/client-secret.md", "operations/install.md", "operations/upgrade.md"],
];

fn reader(number: usize) -> Result<()> {
    walk(&place(&shared()?.scene)?, WALKS[number])
}

#[test]
fn the_quickstart_works() -> Result<()> {
    reader(0)
}

#[test]
fn the_tutorial_and_what_builds_on_it_work() -> Result<()> {
    reader(1)
}

#[test]
fn adopting_what_exists_works() -> Result<()> {
    stage::RUNTIME.block_on(shared()?.make_by_hand("mlw-team-b", "shared-cpu", 2))?;
    reader(2)
}

#[test]
fn several_workspaces_work() -> Result<()> {
    reader(3)
}

#[test]
fn the_command_line_is_that_of_the_program() -> Result<()> {
    reader(4)
}

#[test]
fn steps_side_by_side_and_their_runs_work() -> Result<()> {
    reader(5)
}

#[test]
fn every_page_with_commands_is_walked() -> Result<()> {
    let walked: Vec<String> =
        WALKS.iter().flat_map(|pages| pages.iter()).map(|page| format!("{}/{page}", pages::BOOK)).collect();
    let mut left = Vec::new();
    for block in pages::every_block()? {
        if block.is("run") && !walked.contains(&block.page) {
            left.push(block.place());
        }
    }
    assert!(left.is_empty(), "add the page to a walk: {}", left.join(", "));
    Ok(())
}
