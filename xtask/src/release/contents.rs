//! What a release consists of, one function each: made by the tools that everybody else uses.
//! In: the workspace, a place. Out: a file there.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::tools;
use crate::workspace::Workspace;

/// The chart, as Helm packages it.
pub fn chart(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    let mut helm = Command::new(azureml_control_plane::helm::find()?);
    helm.args(["package", "charts/azureml-operator", "--destination"])
        .arg(folder)
        .current_dir(&workspace.root);
    tools::quiet(&mut helm)
}

/// The CRDs in one file, for those who install them without the chart.
pub fn crds(path: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    for crd in azureml_crds::all()? {
        write!(text, "---\n{}", serde_saphyr::to_string(&crd)?)?;
    }
    fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

/// The program, and the image that has it in it, as `cargo xtask image` builds both: statically linked, and an OCI archive.
pub fn image(workspace: &Workspace, profile: &str, binary: &Path, archive: &Path) -> anyhow::Result<()> {
    let built = workspace.target.join("release-image");
    tools::run(workspace.cargo(&["xtask", "image", "--profile", profile, "--output"]).arg(&built))?;
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
    tar.arg(archive).arg(format!("--mtime=@{}", workspace.committed()));
    tools::quiet(tar.arg("--directory").arg(built.join("oci")).arg("."))
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
