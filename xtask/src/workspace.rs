//! What cargo says about the workspace: where it is, its packages and their test targets.
//! In: the output of `cargo metadata`. Out: plain data, and commands that run in the root.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// The workspace that this program was built from.
pub struct Workspace {
    /// The folder of its `Cargo.toml`.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// The version of its members.
    pub version: String,
    /// Its members.
    pub packages: Vec<Package>,
}

/// One member.
#[derive(Debug, PartialEq)]
pub struct Package {
    /// Its name, as in `cargo -p <name>`.
    pub name: String,
    /// Its integration tests, as in `cargo test --test <name>`.
    pub tests: Vec<String>,
    /// Its folder, from the root.
    pub folder: String,
    /// The other members that it uses in what it ships.
    pub uses: Vec<String>,
}

impl Workspace {
    /// Asks cargo.
    pub fn load() -> anyhow::Result<Self> {
        let output = cargo().args(["metadata", "--no-deps", "--format-version=1", "--locked"]).output()?;
        ensure!(
            output.status.success(),
            "failed to read the workspace:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self::read(&serde_json::from_slice(&output.stdout)?)
    }

    fn read(metadata: &Value) -> anyhow::Result<Self> {
        let root = metadata["workspace_root"].as_str().context("cargo metadata names no workspace_root")?;
        let version = items(&metadata["packages"]).next().map(|package| text(&package["version"]));
        Ok(Self {
            root: root.into(),
            target: text(&metadata["target_directory"]).into(),
            version: version.unwrap_or_default(),
            packages: items(&metadata["packages"]).map(|one| package(one, metadata)).collect(),
        })
    }

    /// When what is checked out was committed, in seconds since 1970, for what is to be the same each time that it is
    /// made: as the convention of reproducible builds has it (`SOURCE_DATE_EPOCH`), else as Git says, else 0.
    pub fn committed(&self) -> String {
        let given = env::var("SOURCE_DATE_EPOCH").ok().filter(|given| !given.is_empty());
        given.or_else(|| self.git(&["log", "-1", "--format=%ct"])).unwrap_or_else(|| "0".into())
    }

    /// What Git says, if it says anything.
    pub fn git(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("git").args(arguments).current_dir(&self.root).output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !said.is_empty()).then_some(said)
    }

    /// A cargo command in the root.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo();
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// The compiler that this cargo uses.
    pub fn rustc(&self) -> Command {
        let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        command.current_dir(&self.root);
        command
    }
}

/// The cargo that runs us, so that both use one toolchain.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn package(package: &Value, metadata: &Value) -> Package {
    let names: Vec<&Value> = items(&metadata["packages"]).map(|member| &member["name"]).collect();
    let is_ours = |dependency: &&Value| dependency["kind"].is_null() && names.contains(&&dependency["name"]);
    let uses = items(&package["dependencies"]).filter(is_ours).map(|one| text(&one["name"])).collect();
    let folder = text(&package["manifest_path"]);
    let folder = folder.strip_prefix(&text(&metadata["workspace_root"])).unwrap_or(&folder);
    let folder = folder.trim_start_matches('/').trim_end_matches("Cargo.toml").trim_end_matches('/');

    let is_test = |target: &&Value| items(&target["kind"]).any(|kind| kind == "test");
    let tests = items(&package["targets"]).filter(is_test).map(|target| text(&target["name"])).collect();
    Package { name: text(&package["name"]), tests, folder: folder.to_owned(), uses }
}

/// The elements of a list; none where there is no list.
pub fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// A text; empty where there is none.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn test_targets_are_found_by_their_kind() {
        let target = |kind: &str, name: &str| json!({"kind": [kind], "name": name});
        let targets =
            [target("lib", "a"), target("test", "laws"), target("bin", "b"), target("test", "golden")];
        let metadata = json!({"workspace_root": "/somewhere", "packages": [{"name": "p", "manifest_path": "/somewhere/a/p/Cargo.toml",
                "targets": targets, "dependencies": [{"name": "p", "kind": null}, {"name": "p", "kind": "dev"}, {"name": "serde", "kind": null}]}]});
        let workspace = Workspace::read(&metadata).unwrap();
        let tests = vec!["laws".to_owned(), "golden".to_owned()];
        let (folder, uses) = ("a/p".into(), vec!["p".into()]);
        assert_eq!(workspace.packages, [Package { name: "p".into(), tests, folder, uses }]);
    }

    #[test]
    fn no_two_packages_name_an_integration_test_alike() {
        // `cargo test --test <name>` would run both, in the step of the first.
        let workspace = Workspace::load().unwrap();
        let mut names: Vec<_> = workspace.packages.iter().flat_map(|package| &package.tests).collect();
        names.sort();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        assert!(twice.is_empty(), "rename one of each: {twice:?}");
    }
}
