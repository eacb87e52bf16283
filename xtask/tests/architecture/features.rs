//! One set of features: what is compiled for a test is not compiled again for a program that the test runs.

use super::cargo;
use anyhow::Result;
use std::collections::BTreeSet;

/// Every dependency with its features, as cargo takes them for a build of the whole workspace that has these edges.
fn built(edges: &str) -> Result<BTreeSet<String>> {
    let arguments = ["tree", "--workspace", "--offline", "--prefix=none", "--format={p} {f}", "--edges"];
    let lines = cargo(&[arguments.as_slice(), &[edges]].concat())?;
    // What was shown before is marked.
    Ok(lines.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned()).collect())
}

#[test]
fn programs_are_built_with_the_features_of_their_tests() -> Result<()> {
    let (tests, programs) = (built("normal,build,dev")?, built("normal,build")?);
    let twice: Vec<_> = programs.difference(&tests).collect();
    assert!(
        twice.is_empty(),
        "cargo compiles these, and all that uses them, once for tests and once for programs; name the features of \
         tests/control-plane and of the workspace's dependencies alike: {twice:#?}"
    );
    assert!(programs.len() > 200, "only {} dependencies are found", programs.len());
    Ok(())
}
