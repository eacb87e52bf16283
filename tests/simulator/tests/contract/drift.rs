//! The reduced data, and the golden bodies of the plans, are what the scripts make of the published definitions and the
//! recordings, byte by byte.
//! `client.json` is compared where Microsoft's client is installed: with the other checks of its Python project.

use std::path::Path;
use std::process::Command;

use super::support::shared;

fn is_fresh(script: &str, folders: &[&Path]) {
    let output = Command::new("python3")
        .arg("-B")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
        .args(folders)
        .arg("--check")
        .output()
        .unwrap_or_else(|error| panic!("python3 cannot be started ({error}): install Python 3.10 or later"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_definitions_are_those_that_are_published() {
    if let Some(folder) = shared("specs") {
        is_fresh("contract/definitions.py", &[&folder]);
    }
}

#[test]
fn the_requests_are_those_that_were_recorded() {
    if let (Some(examples), Some(recorded)) = (shared("examples"), shared("recorded")) {
        is_fresh("contract/recordings.py", &[&examples, &recorded]);
    }
}

#[test]
fn the_facts_are_those_of_the_recorded_answers() {
    if let Some(live) = shared("live") {
        is_fresh("facts/reduce.py", &[&live]);
    }
}

#[test]
fn the_golden_bodies_are_those_that_were_captured() {
    if let Some(examples) = shared("examples") {
        is_fresh("../../controller/plan/tests/golden/reduce.py", &[&examples]);
    }
}
