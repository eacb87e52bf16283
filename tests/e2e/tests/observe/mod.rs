//! What the operator tells of itself, judged by its readers: Prometheus, promtool, a collector of traces, a reader of logs.
//!
//! Alerts and dashboard are the chart's own files, run over what the real program exports.

mod alerts;
mod collector;
mod dashboard;
mod exposition;
mod logs;
mod nights;
mod prometheus;
mod promql;
mod scenario;
mod told;
mod traces;

use anyhow::{Result, bail};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file of the chart.
fn chart(path: &str) -> PathBuf {
    azureml_e2e::root().join("charts/azureml-operator").join(path)
}

/// A page of the book.
fn page(path: &str) -> PathBuf {
    azureml_e2e::root().join("docs/src/operations").join(path)
}

/// A program of Debian's package prometheus. Where it is missing a test is skipped, but never in CI.
fn program(name: &str) -> Result<Option<PathBuf>> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        if std::env::var_os("CI").is_some() {
            bail!("{name} is missing; Debian has it in the package prometheus");
        }
        // Past the test harness, which would keep it until a test has failed.
        let what = format!("observe: skipped: {name} is missing; Debian has it in the package prometheus");
        let _ = writeln!(std::io::stderr(), "{what}");
    }
    Ok(found)
}

/// What a program prints, given something to read.
fn printed(program: &Path, arguments: &[&str], input: &str) -> Result<(bool, String)> {
    use std::process::{Command, Stdio};
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}
