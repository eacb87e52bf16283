//! The operator's image, built and pushed by the command that ships it, in the profile that is built sooner.

use crate::operator::cargo;
use anyhow::{Context as _, Result, ensure};
use std::path::Path;

/// Builds the image, and pushes it to a registry's address under a tag; gives the digest and what the command says.
///
/// # Errors
/// With what the command prints, when it fails.
pub fn push(profile: &str, registry: &str, output: &Path) -> Result<(String, String)> {
    let image = format!("{registry}/azureml-operator:trial");
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--package", "xtask", "--", "image", "--profile", profile]);
    command.args(["--push", &image, "--output"]).arg(output);
    let printed = command.output().context("failed to start cargo")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(printed.status.success(), "failed to build the image: {}", text(&printed.stderr));
    let digest = std::fs::read_to_string(output.join("digest")).context("there is no digest")?;
    Ok((digest.trim().to_owned(), text(&printed.stdout)))
}
