//! kubectl, as a user types it.

use crate::cluster;
use anyhow::{Context as _, Result, bail};
use std::io::Write as _;
use std::process::Stdio;

/// Runs kubectl in a namespace and gives what it prints.
///
/// # Errors
/// With what it prints to standard error, when it fails.
pub fn kubectl(namespace: &str, arguments: &[&str], input: Option<&str>) -> Result<String> {
    let mut command = cluster::kubectl();
    command.args(["--namespace", namespace]).args(arguments).current_dir(crate::root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("failed to start kubectl")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.unwrap_or_default().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("kubectl {}: {}{text}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(text)
}
