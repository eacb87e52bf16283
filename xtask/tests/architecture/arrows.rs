//! The arrows between crates and between files, and what a crate may not link.

use super::{cargo, root};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The crates of this workspace that each of them uses in what it ships.
const ARROWS: [(&str, &[&str]); 15] = [
    ("azureml-access", &["azureml-client", "azureml-plan"]),
    ("azureml-check", &["azureml-crds", "azureml-plan"]),
    (
        "azureml-cli",
        &[
            "azureml-access",
            "azureml-check",
            "azureml-client",
            "azureml-config",
            "azureml-crds",
            "azureml-observe",
            "azureml-plan",
            "azureml-source",
        ],
    ),
    ("azureml-client", &[]),
    ("azureml-config", &["azureml-access", "azureml-client", "azureml-plan"]),
    ("azureml-control-plane", &[]),
    (
        "azureml-controller",
        &[
            "azureml-access",
            "azureml-client",
            "azureml-config",
            "azureml-crds",
            "azureml-observe",
            "azureml-plan",
            "azureml-source",
        ],
    ),
    ("azureml-crds", &[]),
    (
        "azureml-e2e",
        &["azureml-control-plane", "azureml-controller", "azureml-crds", "azureml-plan", "azureml-simulator"],
    ),
    (
        "azureml-live",
        &[
            "azureml-access",
            "azureml-client",
            "azureml-config",
            "azureml-control-plane",
            "azureml-controller",
            "azureml-crds",
            "azureml-plan",
        ],
    ),
    ("azureml-observe", &["azureml-client", "azureml-crds", "azureml-plan", "azureml-source"]),
    ("azureml-plan", &["azureml-client", "azureml-crds"]),
    ("azureml-simulator", &[]),
    ("azureml-source", &["azureml-client", "azureml-crds", "azureml-plan"]),
    ("xtask", &["azureml-control-plane", "azureml-crds"]),
];

/// The packages of this workspace, as cargo knows them.
fn packages() -> Result<Vec<Value>> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps", "--offline"])?)?;
    metadata["packages"].as_array().cloned().context("no packages")
}

#[test]
fn arrows_between_crates_point_one_way() -> Result<()> {
    let packages = packages()?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &packages {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let shipped = dependencies.filter(|dependency| dependency["kind"].is_null());
        let ours =
            shipped.filter_map(|dependency| dependency["name"].as_str()).filter(|name| names.contains(name));
        found.insert(package["name"].as_str().unwrap_or_default(), ours.collect());
    }
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.into_iter().map(|(name, uses)| (name, uses.iter().copied().collect())).collect();
    assert_eq!(found, allowed);
    Ok(())
}

/// The folders of what is shipped, and of the tools of the project: of each package but those that only test.
fn without_circles() -> Result<Vec<PathBuf>> {
    let folders = packages()?
        .into_iter()
        .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent().map(Path::to_path_buf));
    let tests = root().canonicalize()?.join("tests");
    Ok(folders.filter(|folder| !folder.starts_with(&tests)).collect())
}

#[test]
fn no_two_files_use_each_other() -> Result<()> {
    let folders = without_circles()?;
    assert!(folders.len() > 10, "the packages are not found: {folders:?}");
    let mut found = Vec::new();
    for folder in folders {
        found.extend(super::circles::circles(&folder.join("src"))?);
    }
    assert!(found.is_empty(), "{} circles\n{}", found.len(), found.join("\n"));
    Ok(())
}

/// Crates that send, wait or look at a clock.
const IMPURE: [&str; 12] = [
    "tokio",
    "reqwest",
    "hyper",
    "hyper-util",
    "mio",
    "socket2",
    "rustls",
    "azure_core",
    "azure_identity",
    "kube-client",
    "kube-runtime",
    "chrono",
];

#[test]
fn decisions_and_kinds_can_neither_send_nor_wait() -> Result<()> {
    for package in ["azureml-plan", "azureml-crds"] {
        let tree = cargo(&["tree", "--offline", "--edges=normal", "--prefix=none", "--package", package])?;
        let used: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(used.contains("serde_json"), "the tree of {package} is not one: {tree}");
        let impure: Vec<&&str> = IMPURE.iter().filter(|name| used.contains(**name)).collect();
        assert!(impure.is_empty(), "{package} uses {impure:?}");
        let clippy = root()
            .join(if package == "azureml-plan" { "controller/plan" } else { "crds" })
            .join("clippy.toml");
        let lint = std::fs::read_to_string(&clippy).with_context(|| clippy.display().to_string())?;
        for clock in
            ["jiff::Timestamp::now", "std::time::SystemTime::now", "std::time::Instant::now", "std::env::var"]
        {
            assert!(lint.contains(clock), "{} does not disallow {clock}", clippy.display());
        }
    }
    Ok(())
}

#[test]
fn azure_is_seen_without_a_client_of_kubernetes() -> Result<()> {
    let kubernetes = ["kube-client", "kube-runtime"];
    for (package, others) in [
        ("azureml-access", &[][..]),
        ("azureml-cli", &[][..]),
        ("azureml-config", &[][..]),
        ("azureml-observe", &["azure_identity"][..]),
    ] {
        let tree = cargo(&["tree", "--offline", "--edges=normal", "--prefix=none", "--package", package])?;
        let used: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(used.contains("reqwest"), "the tree of {package} is not one: {tree}");
        for other in kubernetes.iter().chain(others) {
            assert!(!used.contains(other), "{package} uses {other}");
        }
    }
    Ok(())
}
