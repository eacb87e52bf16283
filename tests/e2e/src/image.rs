//! The operator's image, built and pushed by the command that ships it.

use crate::operator::cargo;
use anyhow::{Context as _, Result, ensure};
use azureml_control_plane::progress;
use serde::Deserialize;
use std::path::Path;

/// An image that was built.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The digest of its manifest.
    pub digest: String,
    /// The bytes of its files.
    pub bytes: u64,
    /// The bytes that a registry keeps, and that a node pulls.
    pub compressed_bytes: u64,
}

/// Builds the image in a profile; with a registry's address also pushes it there, under the tag `trial`.
///
/// # Errors
/// With what the command prints, when it fails.
pub fn build(profile: &str, registry: Option<&str>, output: &Path) -> Result<Image> {
    let mut command = cargo();
    // Without `--package`: with the features of the whole workspace, as everything else is built.
    command.args(["run", "--quiet", "--locked", "--bin", "xtask", "--", "image", "--profile", profile]);
    if let Some(registry) = registry {
        command.args(["--push", &format!("{registry}/azureml-operator:trial")]);
    }
    command.arg("--output").arg(output);
    let printed = progress::during("building the operator's image", || command.output());
    let printed = printed.context("failed to start cargo")?;
    ensure!(
        printed.status.success(),
        "failed to build the image: {}",
        String::from_utf8_lossy(&printed.stderr)
    );
    let facts = std::fs::read(output.join("image.json")).context("there is no image.json")?;
    Ok(serde_json::from_slice(&facts)?)
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let (files, compressed) = (megabytes(self.bytes), megabytes(self.compressed_bytes));
        write!(f, "{files:.1} MB of files, {compressed:.1} MB compressed, {}", self.digest)
    }
}
