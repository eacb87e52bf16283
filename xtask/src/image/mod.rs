//! `cargo xtask image`: one static program, the certificates of the public authorities and the licences, as a container
//! image FROM scratch. In: a profile, where to push. Out: a folder with the file tree and the image in OCI layout.
//! Needs no container engine: buildah packs it, by the last stage of the same `Dockerfile` that everybody else uses.

pub mod binary;
pub mod licences;
mod pack;
mod rootfs;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::sbom;
use crate::tools;
use crate::workspace::Workspace;
use pack::{Packed, Plan};

/// What the files of the image may weigh together, before any compression.
const MOST: u64 = 25_000_000;
/// The same for other profiles, which leave out what takes long.
const MOST_OF_A_TRIAL: u64 = 31_000_000;

/// Builds the operator's image, says what it weighs, and pushes it if asked to.
#[derive(clap::Args)]
pub struct Arguments {
    /// Push it there: HOST/REPOSITORY:TAG. Credentials are those of `buildah login` or `docker login`.
    #[arg(long, value_name = "IMAGE")]
    push: Option<String>,
    /// Where the file tree (`rootfs`), the image (`oci`), its digest and size (`image.json`) and its bill of materials (`azureml-operator.cdx.json`) go. Default: `image` in the target folder.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Only lay out the file tree, in this folder, and pack nothing: what the Dockerfile does.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["push", "output"])]
    rootfs: Option<PathBuf>,
    /// The profile of the build. The tests use `trial`, which is built sooner and is larger.
    #[arg(long, default_value = "release")]
    profile: String,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    tools::C_COMPILER.check()?;
    let workspace = Workspace::load()?;
    if let Some(rootfs) = &arguments.rootfs {
        return lay(&workspace, &arguments.profile, rootfs).map(drop);
    }
    tools::BUILDAH.check()?;
    let output = arguments.output.clone().unwrap_or_else(|| workspace.target.join("image"));
    fs::create_dir_all(&output).with_context(|| format!("failed to create {}", output.display()))?;
    let output = output.canonicalize()?;
    let size = lay(&workspace, &arguments.profile, &output.join("rootfs"))?;
    sbom::write(&workspace, &output.join("azureml-operator.cdx.json"))?;
    let plan = Plan { workspace: &workspace, output: &output, push: arguments.push.as_deref() };
    let Packed { digest, compressed } = plan.pack()?;
    let facts = json!({"digest": digest, "bytes": size, "compressedBytes": compressed});
    fs::write(output.join("image.json"), format!("{facts:#}\n")).context("failed to write image.json")?;
    println!(
        "image: {:.1} MB of files, {:.1} MB compressed, {digest}",
        megabytes(size),
        megabytes(compressed)
    );
    println!("image: {}", output.display());
    Ok(())
}

/// Lays out the file tree and gives its size.
fn lay(workspace: &Workspace, profile: &str, rootfs: &Path) -> anyhow::Result<u64> {
    let program = binary::build(workspace, profile, binary::OPERATOR)?;
    rootfs::lay(workspace, &program, rootfs)?;
    let size = rootfs::size(rootfs)?;
    let most = if profile == "release" { MOST } else { MOST_OF_A_TRIAL };
    ensure!(
        size < most,
        "the files of the image weigh {:.1} MB, and {:.0} MB is the most: see which dependency grew, with \
         `cargo bloat --release --crates`",
        megabytes(size),
        megabytes(most)
    );
    Ok(size)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
