//! What a node needs of the machine: root, cgroups, and a few Debian packages.
//! In: the machine. Out: why it cannot be, and the remedy.

use std::env;
use std::path::{Path, PathBuf};

use super::seat;
use crate::error::{Error, Result};

/// Programs with the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 7] = [
    ("buildah", "buildah"),
    ("containerd", "containerd"),
    ("dnsmasq", "dnsmasq-base"),
    ("docker-registry", "docker-registry"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("runc", "runc"),
];
/// Where Debian keeps the plugins of the container network interface, and where others do.
const PLUGINS: [&str; 2] = ["/usr/lib/cni", "/opt/cni/bin"];
/// Set where a node has to run: a missing package is then a failure and no reason to skip.
const REQUIRED: [&str; 2] = ["CI", "AZUREML_REQUIRE_NODE"];

/// Why no node can run here.
pub(crate) fn unavailable() -> Option<String> {
    let is_required = REQUIRED.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    impossible().or_else(|| if is_required { None } else { missing() })
}

/// # Errors
/// When something is missing, with the remedy.
pub(super) fn check() -> Result<()> {
    let what = impossible().or_else(missing);
    what.map_or(Ok(()), |what| Err(Error::Missing { what, remedy: "see CONTRIBUTING".into() }))
}

/// What no package can mend.
fn impossible() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("a node needs Linux".into());
    }
    if !is_root() {
        return Some("a node needs root".into());
    }
    seat::no_cgroups()
}

fn missing() -> Option<String> {
    let mut packages: Vec<_> =
        PROGRAMS.iter().filter(|(program, _)| find(program).is_none()).map(|(_, package)| *package).collect();
    if plugins().is_none() {
        packages.push("containernetworking-plugins");
    }
    (!packages.is_empty()).then(|| format!("a node needs Debian's {}", packages.join(" ")))
}

/// The folder with the plugins of the container network interface.
pub(super) fn plugins() -> Option<PathBuf> {
    PLUGINS.iter().map(PathBuf::from).find(|folder| folder.join("bridge").is_file())
}

/// The effective user, as the kernel tells it.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("Uid:")).unwrap_or_default();
    line.split_whitespace().nth(2) == Some("0")
}

/// Where a program is, in PATH or in the folders of root's programs, which not every PATH names.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|path: &PathBuf| Path::is_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_it_is_and_nowhere_else() {
        assert!(find("sh").is_some_and(|path| path.ends_with("sh")));
        assert_eq!(find("no-such-program"), None);
    }
}
