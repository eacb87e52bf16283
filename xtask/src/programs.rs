//! Programs of this workspace that a command runs: built together, with one set of features, and then run by their paths.
//! In: their names. Out: their paths. `cargo run --package` would build kube and others anew for each package.

use std::path::PathBuf;
use std::process::Command;

use crate::tools;
use crate::workspace::Workspace;

/// What the first commands of a newcomer run: built by each of them, so that the second compiles nothing.
pub const FIRST: &[&str] = &["azureml-operator", "control-plane", "demo"];

/// Builds them; says where they are.
pub fn build(workspace: &Workspace, names: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    tools::run(&mut command(workspace, names))?;
    Ok(names.iter().map(|name| path(workspace, name)).collect())
}

/// Where one of them is.
pub fn path(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.target.join("debug").join(name)
}

/// The whole workspace decides the features, as in every other build of it.
fn command(workspace: &Workspace, names: &[&str]) -> Command {
    let mut build = workspace.cargo(&["build", "--workspace", "--locked"]);
    build.args(names.iter().flat_map(|name| ["--bin", name]));
    build
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_built_in_one_command_for_the_whole_workspace() {
        let workspace = Workspace::load().unwrap();
        let line = tools::line(&command(&workspace, FIRST));
        let names = "--bin azureml-operator --bin control-plane --bin demo";
        assert_eq!(line, format!("cargo build --workspace --locked {names}"));
    }

    #[test]
    fn cargo_xtask_is_built_with_the_features_of_the_whole_workspace() {
        // `--package` would select its own, and the first build of a program would compile kube once more.
        let config = std::fs::read_to_string(".cargo/config.toml");
        let config = config.or_else(|_| std::fs::read_to_string("../.cargo/config.toml")).unwrap();
        assert!(config.contains("xtask = \"run --bin xtask --\""), "{config}");
        let manifest = std::fs::read_to_string("../Cargo.toml").unwrap();
        assert!(!manifest.contains("default-members"), "a selection is a set of features of its own");
    }
}
