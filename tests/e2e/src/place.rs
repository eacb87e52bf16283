//! Where commands of the book run, as a user types them: a folder with a kubeconfig of its own, and the programs in its PATH.
//! In: a control plane, blocks of commands. Out: what they print. Variables and the namespace go on from block to block.

use crate::book::Block;
use crate::operator::binary;
use anyhow::{Context as _, Result, bail};
use azureml_control_plane::ControlPlane;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Variables go on from block to block, as in a terminal. What a block leaves running ends with it.
const AROUND: &str = "set -euo pipefail\nif [ -f .state ]; then . ./.state; fi\n\
    trap 'export -p >\"$STATE\"; kill $(jobs -p) 2>/dev/null || true' EXIT\nset -a\n";

/// A folder for commands.
pub struct Place {
    folder: TempDir,
    /// What the commands find in their environment.
    pub environment: BTreeMap<String, String>,
}

impl Place {
    /// A place on a control plane.
    ///
    /// # Errors
    /// When a program is missing.
    pub fn on(plane: &ControlPlane) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let bin = folder.path().join("bin");
        fs::create_dir_all(&bin)?;
        symlink(plane.kubectl().get_program(), bin.join("kubectl"))?;
        symlink(plane.helm()?.get_program(), bin.join("helm"))?;
        let operator = binary()?;
        // kubectl finds a program of this name beside it, and offers it as `kubectl azureml`.
        symlink(operator.with_file_name("kubectl-azureml"), bin.join("kubectl-azureml"))?;
        symlink(operator, bin.join("azureml-operator"))?;
        let root = crate::root().canonicalize()?;
        for name in ["charts", "examples"] {
            symlink(root.join(name), folder.path().join(name))?;
        }
        // A copy, since a page may set its namespace.
        let kubeconfig = folder.path().join("kubeconfig");
        fs::copy(plane.kubeconfig(), &kubeconfig)?;
        fs::set_permissions(&kubeconfig, fs::Permissions::from_mode(0o600))?;
        let path = std::env::var("PATH").context("there is no PATH")?;
        let environment = BTreeMap::from([
            ("PATH".to_owned(), format!("{}:{path}", bin.display())),
            ("HOME".to_owned(), folder.path().display().to_string()),
            ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
        ]);
        Ok(Self { folder, environment })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a block of commands; gives what it prints.
    ///
    /// # Errors
    /// With what was printed, when a command fails.
    pub fn run(&self, block: &Block) -> Result<String> {
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(format!("exec 2>&1\n{AROUND}{}", block.text)).current_dir(self.path());
        bash.env_clear().envs(&self.environment).env("STATE", self.path().join(".state"));
        bash.stdin(Stdio::null()).stdout(Stdio::piped());
        let output = bash.spawn()?.wait_with_output()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("{}: ended with {}:\n{}\nprinted:\n{printed}", block.place(), output.status, block.text);
        }
        Ok(printed)
    }
}
