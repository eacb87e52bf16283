//! Packs the file tree with buildah, by the last stage of the `Dockerfile`, into an image in OCI layout.
//! In: the file tree. Out: `oci/` beside it, and a push. The same tree and commit give the same digest.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use azureml_control_plane::progress;
use serde_json::Value;

use crate::tools;
use crate::workspace::{Workspace, items};

/// The name of the image in buildah's own storage, which lasts as long as the packing.
const NAME: &str = "localhost/azureml-operator";
/// Nothing is fetched, so there are no signatures to ask for.
const POLICY: &str = r#"{"default": [{"type": "insecureAcceptAnything"}]}"#;

/// What is to be packed, and where it goes.
pub struct Plan<'a> {
    pub workspace: &'a Workspace,
    /// Holds `rootfs`; gets `oci`.
    pub output: &'a Path,
    pub push: Option<&'a str>,
}

/// What was packed.
pub struct Packed {
    /// The digest of the image's manifest, by which a registry knows it.
    pub digest: String,
    /// The bytes that a registry keeps.
    pub compressed: u64,
}

impl Plan<'_> {
    /// Packs, and pushes if asked to.
    pub fn pack(&self) -> anyhow::Result<Packed> {
        let storage = self.output.join("storage");
        clear(&[&storage, &self.output.join("oci")])?;
        fs::create_dir_all(&storage)?;
        fs::write(storage.join("policy.json"), POLICY).context("failed to write buildah's policy")?;
        let done = self.pack_in(&storage);
        clear(&[&storage])?;
        done
    }

    fn pack_in(&self, storage: &Path) -> anyhow::Result<Packed> {
        quietly(&mut self.build(storage)?)?;
        let layout = self.output.join("oci");
        self.copy_to(storage, &format!("oci:{}:latest", layout.display()))?;
        let (digest, compressed) = weigh(&layout)?;
        if let Some(image) = self.push {
            self.copy_to(storage, &format!("docker://{image}"))?;
            println!("image: pushed {image}");
        }
        Ok(Packed { digest, compressed })
    }

    fn build(&self, storage: &Path) -> anyhow::Result<Command> {
        let mut buildah = buildah(storage, "build");
        buildah.args([
            "--quiet",
            "--isolation",
            "chroot",
            "--pull=never",
            "--layers=false",
            "--omit-history",
        ]);
        buildah.arg("--identity-label=false").arg(format!("--timestamp={}", self.epoch()?));
        // Instead of the stage of that name, which is then not run.
        buildah.args(["--build-context", &format!("build={}", self.output.display())]);
        buildah.args(["--build-arg", &format!("REVISION={}", self.revision())]);
        buildah.args(["--build-arg", &format!("VERSION={}", self.workspace.version)]);
        // An ignore file says what of the checkout a build does not need; here the folder holds what is wanted only.
        let none = storage.join("ignore");
        fs::write(&none, "").context("failed to write buildah's list of ignored files")?;
        buildah.arg("--ignorefile").arg(none);
        buildah
            .arg("--file")
            .arg(self.workspace.root.join("Dockerfile"))
            .args(["--tag", NAME])
            .arg(self.output);
        Ok(buildah)
    }

    fn copy_to(&self, storage: &Path, to: &str) -> anyhow::Result<()> {
        let mut push = buildah(storage, "push");
        push.args(["--quiet", "--format=oci"]).arg("--signature-policy").arg(storage.join("policy.json"));
        if ["docker://127.0.0.1:", "docker://localhost:"].iter().any(|here| to.starts_with(here)) {
            push.arg("--tls-verify=false");
        }
        quietly(push.args([NAME, to]).current_dir(&self.workspace.root))
    }

    /// When the image was made.
    fn epoch(&self) -> anyhow::Result<u64> {
        let epoch = self.workspace.committed();
        epoch
            .parse()
            .with_context(|| format!("SOURCE_DATE_EPOCH is {epoch:?}, which is no number of seconds"))
    }

    /// The commit, with a mark when the checkout is not what was committed.
    fn revision(&self) -> String {
        let commit = self.workspace.git(&["rev-parse", "HEAD"]).unwrap_or_default();
        let is_changed = self.workspace.git(&["status", "--porcelain"]).is_some();
        if is_changed && !commit.is_empty() { format!("{commit}-changed") } else { commit }
    }
}

fn clear(folders: &[&Path]) -> anyhow::Result<()> {
    for folder in folders.iter().filter(|folder| folder.exists()) {
        fs::remove_dir_all(folder).with_context(|| format!("failed to remove {}", folder.display()))?;
    }
    Ok(())
}

/// A storage of its own, in a form that needs no rights and leaves nothing behind.
fn buildah(storage: &Path, command: &str) -> Command {
    let mut buildah = Command::new("buildah");
    buildah.arg("--root").arg(storage.join("root")).arg("--runroot").arg(storage.join("run"));
    buildah.args(["--storage-driver", "vfs", command]);
    buildah
}

/// Runs a command whose output is of interest only when it fails.
fn quietly(command: &mut Command) -> anyhow::Result<()> {
    let line = tools::line(command);
    let output = progress::during(&line, || command.output());
    let output = output.with_context(|| format!("failed to start `{line}`"))?;
    ensure!(output.status.success(), "`{line}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// The digest of the only image of a layout, and the bytes of everything that it refers to.
fn weigh(layout: &Path) -> anyhow::Result<(String, u64)> {
    let json = |path: &Path| -> anyhow::Result<Value> {
        let text = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
        Ok(serde_json::from_slice(&text)?)
    };
    let index = json(&layout.join("index.json"))?;
    let digest = index["manifests"][0]["digest"].as_str().context("the image has no digest")?;
    let manifest = json(&layout.join("blobs").join(digest.replace(':', "/")))?;
    let parts = items(&manifest["layers"]).chain([&manifest["config"]]);
    Ok((digest.to_owned(), parts.filter_map(|part| part["size"].as_u64()).sum()))
}
