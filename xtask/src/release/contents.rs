//! What a release consists of, one function each: made by the tools that everybody else uses.
//! In: the workspace, a place. Out: a file there.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::installed;
use crate::tools;
use crate::workspace::Workspace;

/// The chart, as Helm packages it.
pub fn chart(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    let mut helm = Command::new(azureml_control_plane::helm::find()?);
    helm.args(["package", "charts/azureml-operator", "--destination"])
        .arg(folder)
        .current_dir(&workspace.root);
    quiet(&mut helm)
}

/// The CRDs in one file, for those who install them without the chart.
pub fn crds(path: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    for crd in azureml_crds::all()? {
        write!(text, "---\n{}", serde_saphyr::to_string(&crd)?)?;
    }
    fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The bill of materials of the program, as cargo-cyclonedx writes it: what is linked, not what only builds or tests.
pub fn sbom(workspace: &Workspace, path: &Path) -> anyhow::Result<Value> {
    const NAME: &str = "release-sbom";
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
    cyclonedx.env("CARGO_NET_OFFLINE", "true").env("SOURCE_DATE_EPOCH", committed(workspace)?);
    let ended = quiet(cyclonedx.current_dir(&workspace.root));
    // It writes beside the manifest of every member.
    let written = beside_manifests(&workspace.root, &format!("{NAME}.json"));
    let ours = workspace.root.join("controller").join(format!("{NAME}.json"));
    let text = fs::read_to_string(&ours);
    for file in &written {
        fs::remove_file(file).with_context(|| format!("failed to remove {}", file.display()))?;
    }
    ended?;
    let text = text.with_context(|| format!("cargo-cyclonedx wrote no {}", ours.display()))?;
    fs::write(path, &text).with_context(|| format!("failed to write {}", path.display()))?;
    let sbom: Value = serde_json::from_str(&text).context("the SBOM is no JSON")?;
    check_sbom(&sbom)?;
    Ok(sbom)
}

/// It is one, and it is the program's.
fn check_sbom(sbom: &Value) -> anyhow::Result<()> {
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

fn beside_manifests(root: &Path, name: &str) -> Vec<PathBuf> {
    let folders =
        ["crds", "controller", "controller/azure", "controller/plan", "xtask"].map(PathBuf::from).into_iter();
    let tests = fs::read_dir(root.join("tests")).into_iter().flatten().flatten().map(|entry| entry.path());
    folders.chain(tests).map(|folder| root.join(folder).join(name)).filter(|path| path.is_file()).collect()
}

fn committed(workspace: &Workspace) -> anyhow::Result<String> {
    let output =
        Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(&workspace.root).output()?;
    ensure!(output.status.success(), "git log: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The program, and the image that has it in it, as `cargo xtask image` builds both: statically linked, and an OCI archive.
pub fn image(workspace: &Workspace, binary: &Path, archive: &Path) -> anyhow::Result<()> {
    let built = workspace.root.join("target/release-image");
    tools::run(workspace.cargo(&["xtask", "image", "--output"]).arg(&built))?;
    let program = built.join("rootfs/azureml-operator");
    fs::copy(&program, binary).with_context(|| format!("failed to copy {}", program.display()))?;
    let mut tar = Command::new("tar");
    tar.args([
        "--create",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mode=go-w",
        "--file",
    ]);
    tar.arg(archive).arg(format!("--mtime=@{}", committed(workspace)?));
    quiet(tar.arg("--directory").arg(built.join("oci")).arg("."))
}

/// The checksums of every file, as `sha256sum --check` reads them.
pub fn checksums(folder: &Path) -> anyhow::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut text = String::new();
    for name in names {
        for byte in Sha256::digest(fs::read(folder.join(&name))?) {
            write!(text, "{byte:02x}")?;
        }
        writeln!(text, "  {name}")?;
    }
    Ok(text)
}

/// Runs a tool that says much when all is well.
fn quiet(command: &mut Command) -> anyhow::Result<()> {
    let line = tools::line(command);
    let output = command.output().with_context(|| format!("failed to start `{line}`"))?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(
        output.status.success(),
        "`{line}` ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&said)
    );
    Ok(())
}
