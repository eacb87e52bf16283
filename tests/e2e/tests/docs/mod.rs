//! The documentation is true: its commands run, its manifests are accepted, its runbook is complete.
//! Pages are walked from top to bottom, as a user types them, on a real API server with the real operator and a simulated Azure.

mod bicep;
mod blocks;
mod call;
mod identities;
mod inline;
mod install;
mod reasons;
mod reference;
pub(crate) mod role;
mod stage;
mod terraform;
mod triggers;
pub(crate) mod walk;
mod workflows;

use anyhow::Result;
use azureml_e2e::book as pages;
use azureml_e2e::place::Place;
use stage::{place, shared};
use walk::walk;

/// The pages that are walked, in the order in which they build on each other; each line is one reader.
const WALKS: [&[&str]; 9] = [
    // Both in one namespace: what the quickstart leaves must not be in the way of the tutorial.
    &[
        "quickstart.md",
        "tutorial.md",
        "how-to/data.md",
        "how-to/failed.md",
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
    &["how-to/import.md", "how-to/adopt.md"],
    &["how-to/workspaces.md", "how-to/share.md"],
    &[
        "reference/command-line.md",
        "how-to/plugin.md",
        "how-to/validate.md",
        "how-to/promote.md",
        "how-to/github-actions.md",
    ],
    &[
        "how-to/steps.md",
        "how-to/plan.md",
        "how-to/sources.md",
        "how-to/run.md",
        "how-to/logs.md",
        "how-to/terminal.md",
        "how-to/not-ready.md",
        "operations/restore.md",
        "how-to/manifests.md",
    ],
    &["README.md"],
    // On stages of their own.
    &["how-to/grants.md", "how-to/client-secret.md", "operations/install.md", "operations/upgrade.md"],
    &["how-to/bring.md"],
    &["how-to/onboard.md", "how-to/guard.md"],
];

fn reader(number: usize) -> Result<()> {
    walk(&place(&shared()?.scene)?, WALKS[number])
}

#[test]
fn the_quickstart_the_tutorial_and_what_builds_on_it_work() -> Result<()> {
    reader(0)
}

#[test]
fn importing_and_adopting_what_exists_works() -> Result<()> {
    stage::RUNTIME.block_on(shared()?.make_by_hand("mlw-team-b", "shared-cpu", 2))?;
    reader(1)
}

#[test]
fn several_workspaces_work() -> Result<()> {
    reader(2)
}

#[test]
fn the_command_line_is_that_of_the_program() -> Result<()> {
    reader(3)
}

#[test]
fn steps_side_by_side_and_their_runs_work() -> Result<()> {
    reader(4)
}

#[test]
fn a_repository_of_az_ml_is_brought() -> Result<()> {
    reader(7)
}

/// Runs commands that a page takes for done.
fn prepare(place: &Place, commands: &str) -> Result<()> {
    let block = pages::Block { text: commands.to_owned(), ..pages::blocks("README.md")?.remove(0) };
    place.run(&block).map(drop)
}

/// With the roles that the chart makes, under the API server's own RBAC.
#[test]
fn two_teams_have_what_is_theirs_and_nothing_else() -> Result<()> {
    let place = place(&shared()?.scene)?;
    prepare(
        &place,
        "helm template azureml-operator charts/azureml-operator --show-only templates/userroles.yaml | kubectl apply -f -",
    )?;
    walk(&place, WALKS[8])
}

/// In a namespace as a platform team leaves it: with a workspace and clusters.
#[test]
fn the_readme_keeps_its_promise() -> Result<()> {
    let place = place(&shared()?.scene)?;
    let prepared = "kubectl create namespace team-e\nkubectl config set-context --current --namespace=team-e\n\
                    kubectl apply -f examples/r-gbm/workspace.yaml -f examples/r-gbm/computes.yaml\n";
    prepare(&place, prepared)?;
    walk(&place, WALKS[5])
}

#[test]
fn the_name_of_a_file_stands_above_its_block() -> Result<()> {
    let mut missing = Vec::new();
    for page in pages::all()? {
        let mut before = "";
        let text = pages::text(&page)?;
        for line in text.lines().filter(|line| !line.is_empty()) {
            let fence = line.trim_start().strip_prefix("```").unwrap_or_default();
            let name = fence.split(' ').find_map(|mark| mark.strip_prefix("file="));
            if let Some(name) = name.filter(|name| !before.contains(&format!("`{name}`"))) {
                missing.push(format!("{page}: say \"File `{name}`:\" above it"));
            }
            before = line;
        }
    }
    assert!(missing.is_empty(), "the info string does not show: {}", missing.join(", "));
    Ok(())
}

#[test]
fn every_page_with_commands_is_walked() -> Result<()> {
    let walked: Vec<String> =
        WALKS.iter().flat_map(|pages| pages.iter()).map(|page| walk::path(page)).collect();
    let mut left = Vec::new();
    for block in pages::every_block()? {
        if block.is("run") && !walked.contains(&block.page) {
            left.push(block.place());
        }
    }
    assert!(left.is_empty(), "add the page to a walk: {}", left.join(", "));
    Ok(())
}
