//! The operator, or another of our programs, as one static program: the GNU C library linked in, so that it needs nothing of the system around it.
//! In: a profile. Out: the program's path.

use std::env;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::tools;
use crate::workspace::Workspace;

/// The target that the program is built for: named even where it is the machine's own, since flags that are given with a
/// target do not reach build scripts and macros, which cannot be static.
pub fn target() -> String {
    format!("{}-unknown-linux-gnu", env::consts::ARCH)
}

/// The package of the operator, and its program.
pub const OPERATOR: (&str, &str) = ("azureml-controller", "azureml-operator");

/// Builds the program of a package.
pub fn build(
    workspace: &Workspace,
    profile: &str,
    (package, program): (&str, &str),
) -> anyhow::Result<PathBuf> {
    ensure!(
        cfg!(all(target_os = "linux", target_env = "gnu")),
        "a static program of the GNU C library is built on Linux only; elsewhere use `docker build .`"
    );
    let target = target();
    let mut cargo = workspace.cargo(&["rustc", "--locked", "--package", package]);
    cargo.args(["--bin", program, "--profile", profile, "--target", &target]);
    cargo.env(variable(&target), flags(workspace, profile)?);
    // A tenth less: where the program's own addresses are, in a form that glibc 2.36 and newer reads. For the last step
    // alone, which dependencies know nothing of.
    cargo.args(["--", "-C", "link-arg=-Wl,-z,pack-relative-relocs"]);
    tools::run(&mut cargo)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(workspace.target.join(target).join(folder).join(program))
}

/// Flags of this target alone. Those of the user for other builds do not get in, since they would change what is shipped.
fn variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"))
}

fn flags(workspace: &Workspace, profile: &str) -> anyhow::Result<String> {
    let mut flags = "-C target-feature=+crt-static".to_owned();
    if profile == "release" {
        // What is shipped does not say where it was built, and is the same wherever it was. Not for the tests: there,
        // a checkout in another folder would build every dependency anew.
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
        let home = home.context("neither CARGO_HOME nor HOME is set")?;
        for (from, to) in [(&home, "/cargo"), (&workspace.root, "/azureml-operator")] {
            let _ = write!(flags, " --remap-path-prefix={}={to}", from.display());
        }
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_given_to_the_target_and_to_nothing_else() {
        assert_eq!(variable("x86_64-unknown-linux-gnu"), "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS");
    }
}
