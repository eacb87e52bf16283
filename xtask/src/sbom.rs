//! The bill of materials of the program, in CycloneDX. In: the workspace, a place. Out: a file there, checked to be the
//! program's: what is linked, not what only builds or tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::installed;
use crate::tools;
use crate::workspace::Workspace;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The bill of materials of the program, as cargo-cyclonedx writes it: what is linked, not what only builds or tests.
pub fn write(workspace: &Workspace, path: &Path) -> anyhow::Result<()> {
    const NAME: &str = "azureml-operator-sbom";
    let mut cyclonedx = Command::new(installed::cargo_cyclonedx()?);
    cyclonedx.args([
        "cyclonedx",
        "--manifest-path",
        "controller/Cargo.toml",
        "--format",
        "json",
        "--spec-version",
        "1.5",
    ]);
    cyclonedx.args(["--target", TARGET, "--no-build-deps", "--license-strict", "--override-filename", NAME]);
    // The time of the commit, so that the same commit gives the same file.
    cyclonedx.env("CARGO_NET_OFFLINE", "true").env("SOURCE_DATE_EPOCH", workspace.committed());
    let ended = tools::quiet(cyclonedx.current_dir(&workspace.root));
    // It writes beside the manifest of every member.
    let written = beside_manifests(workspace, &format!("{NAME}.json"));
    let ours = workspace.root.join("controller").join(format!("{NAME}.json"));
    let text = fs::read_to_string(&ours);
    for file in &written {
        fs::remove_file(file).with_context(|| format!("failed to remove {}", file.display()))?;
    }
    ended?;
    let text = text.with_context(|| format!("cargo-cyclonedx wrote no {}", ours.display()))?;
    fs::write(path, &text).with_context(|| format!("failed to write {}", path.display()))?;
    let sbom: Value = serde_json::from_str(&text).context("the SBOM is no JSON")?;
    check(&sbom)
}

/// It is one, and it is the program's.
fn check(sbom: &Value) -> anyhow::Result<()> {
    ensure!(sbom["bomFormat"] == "CycloneDX", "the SBOM is no CycloneDX");
    let name = &sbom["metadata"]["component"]["name"];
    ensure!(name == "azureml-controller", "the SBOM is that of {name}");
    let components = sbom["components"].as_array().context("the SBOM has no components")?;
    let has = |name: &str| components.iter().any(|component| component["name"] == name);
    for linked in ["kube-client", "azure_core", "rustls", "ring"] {
        ensure!(has(linked), "the SBOM does not name {linked}, which is linked");
    }
    for other in ["insta", "azureml-simulator"] {
        ensure!(!has(other), "the SBOM names {other}, which is not linked");
    }
    Ok(())
}

fn beside_manifests(workspace: &Workspace, name: &str) -> Vec<PathBuf> {
    let folders = workspace.packages.iter().map(|package| workspace.root.join(&package.folder));
    folders.map(|folder| folder.join(name)).filter(|path| path.is_file()).collect()
}
