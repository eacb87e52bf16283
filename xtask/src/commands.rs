//! The commands of the steps: which tests a step runs, and what is built before any of them.
//! In: the workspace. Out: commands. May not run them.

use std::process::Command;

use anyhow::ensure;

use crate::workspace::Workspace;

/// Packages whose integration tests start a control plane, and have steps of their own.
pub const CONTROL_PLANE: &str = "azureml-control-plane";
pub const END_TO_END: &str = "azureml-e2e";
pub const LIVE: &str = "azureml-live";

/// What of the integration tests is one process: a program as cargo names it, and which of its modules, where not all. Modules that ask
/// little of their control plane share one: to start it takes more than some of them do.
pub type Lane = &'static [&'static str];

/// The end-to-end tests without a step of their own. Those that take longest are first, so that none of them is left alone at
/// the end.
pub const STORIES: &[Lane] = &[
    &["e2e", "crash::"],
    &["e2e", "situations::"],
    &["e2e", "manifests::"],
    &["e2e", "permissions::"],
    &["audited", "replicas::"],
    &["e2e", "story::", "executed::", "readback::"],
    &["e2e", "tenants::"],
    &["e2e", "demo::"],
    &["rights"],
    &["e2e", "starve::"],
    &["e2e", "databricks::"],
    // Its table of results is to be seen.
    &["e2e", "differential::", "--nocapture"],
];
/// Those that say most, once more over HTTP/1.1.
const HTTP1: &[Lane] = &[&["e2e", "situations::", "story::"]];
/// With the programs of GitOps tools.
pub const GITOPS: &[Lane] = &[&["audited", "gitops::"], &["e2e", "verdicts::"]];
/// With a node, which needs root.
pub const NODE: &[Lane] = &[&["pods"], &["node"]];
/// With curl and jq, as the book uses them.
pub const DOCUMENTED: &[Lane] = &[&["e2e", "docs::"]];
/// For the tests that Prometheus judges.
pub const OBSERVE: &[Lane] = &[&["monitoring"], &["e2e", "observe::"]];

/// All tests run in the whole workspace, so that every step uses one and the same build.
pub fn test(workspace: &Workspace, targets: &[&str]) -> Command {
    workspace.cargo(&[&["test", "--workspace", "--locked"], targets].concat())
}

/// A command for each lane.
pub fn each(workspace: &Workspace, lanes: &[Lane]) -> Vec<Command> {
    let line = |lane: &Lane| {
        let (program, modules) = lane.split_at(1);
        // All but the first filter are for the program itself.
        let (first, others) = modules.split_at(modules.len().min(1));
        let more = if others.is_empty() { &[][..] } else { &["--"][..] };
        test(workspace, &[&["--test"], program, first, more, others].concat())
    };
    lanes.iter().map(line).collect()
}

/// Over HTTP/1.1 alone, as many proxies speak it.
pub fn over_http1(workspace: &Workspace) -> Vec<Command> {
    let mut all = each(workspace, HTTP1);
    for command in &mut all {
        command.env("AZUREML_E2E_HTTP1", "true");
    }
    all
}

/// The programs of the integration tests of some packages, as cargo takes them, but for those with a step of their own.
/// Without any, cargo would run all, so that is an error.
pub fn tests(workspace: &Workspace, of: impl Fn(&str) -> bool) -> anyhow::Result<Vec<&str>> {
    let packages = workspace.packages.iter().filter(|package| of(&package.name));
    let tests = packages.flat_map(|package| &package.tests).map(String::as_str);
    let has_a_step = |name: &str| [NODE, OBSERVE].concat().contains(&[name].as_slice());
    let names: Vec<_> = tests.filter(|name| !has_a_step(name)).collect();
    ensure!(!names.is_empty(), "there are no integration tests for this step");
    Ok(names.into_iter().flat_map(|name| ["--test", name]).collect())
}

/// What the tests would otherwise build or install when they first need it, beside others that take the time: every
/// test, the programs of the control plane, of a node and of the GitOps tools, Microsoft's clients, and the image.
pub fn programs(workspace: &Workspace) -> Vec<Command> {
    let mut control_plane = Command::new(workspace.target.join("debug/control-plane"));
    control_plane.arg("--build");
    let mut sdk = Command::new("python3");
    sdk.args(["tests/sdk/run.py", "python", "--version"]).current_dir(&workspace.root);
    let mut commands = vec![test(workspace, &["--no-run"]), control_plane, sdk];
    if azureml_control_plane::Node::unavailable().is_none() {
        let mut image = workspace.cargo(&["xtask", "image", "--profile", "trial", "--output"]);
        image.arg(workspace.target.join("image-trial"));
        commands.push(image);
    }
    commands
}

#[cfg(test)]
mod tests_of_commands {
    use super::*;
    use crate::workspace::Package;

    #[test]
    fn a_step_without_tests_is_an_error() {
        let packages = vec![Package {
            name: LIVE.into(),
            tests: vec!["check".into()],
            folder: String::new(),
            uses: Vec::new(),
        }];
        let workspace =
            Workspace { root: "/".into(), target: "/target".into(), version: "1.0.0".into(), packages };
        assert_eq!(tests(&workspace, |name| name == LIVE).unwrap(), ["--test", "check"]);
        assert!(tests(&workspace, |name| name == "no-such-package").is_err());
    }
}
