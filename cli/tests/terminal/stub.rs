//! A program in the place of kubectl, which answers as a script says. What the real one answers is for the end-to-end tests.
//!
//! In: the lines of a shell script. Out: what our program prints beside it. The script may keep files in the folder `$HOME`.

use anyhow::Result;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with a program `kubectl`.
pub struct Stub(TempDir);

/// What our program said, and its exit code.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl Stub {
    /// A kubectl that is this script.
    pub fn of(script: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = folder.path().join("kubectl");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n"))?;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        Ok(Self(folder))
    }

    /// Runs our program, which finds this kubectl alone.
    pub fn said(&self, arguments: &[&str]) -> Result<Said> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-azureml"));
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let Output { status, stdout, stderr } =
            command.args(arguments).env("PATH", path).env("HOME", self.0.path()).output()?;
        Ok(Said { out: String::from_utf8(stdout)?, err: String::from_utf8(stderr)?, code: status.code() })
    }

    /// What the script wrote into a file.
    pub fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.path().join(file)).unwrap_or_default()
    }

    /// How many lines that are.
    pub fn lines(&self, file: &str) -> usize {
        self.text(file).lines().count()
    }
}

/// An MLRun `r` with a status.
pub fn run(status: &Value) -> Value {
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLRun",
        "metadata": {"name": "r", "namespace": "n"}, "spec": {"pipelineRef": {"name": "p"}}, "status": status})
}
