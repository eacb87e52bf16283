//! Programs that a step needs: how to see that they are there, and what to do when they are not.
//! In: a tool. Out: nothing, or an error with the remedy.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, anyhow, bail, ensure};
use azureml_control_plane::progress;

use crate::watch;

/// A program that has to be on the machine before a step starts.
#[derive(Debug, PartialEq)]
pub struct Tool {
    /// Its name and version, for people.
    pub name: &'static str,
    /// A command that succeeds when it is there.
    probe: &'static [&'static str],
    /// What its output has to contain.
    says: &'static str,
    /// A variable that makes it unnecessary.
    unless: &'static str,
    /// What to do when it is missing.
    remedy: &'static str,
}

pub const RUSTFMT: Tool = Tool {
    name: "rustfmt",
    probe: &["cargo", "fmt", "--version"],
    says: "rustfmt",
    unless: "",
    remedy: "run `rustup component add rustfmt`",
};

pub const CLIPPY: Tool = Tool {
    name: "clippy",
    probe: &["cargo", "clippy", "--version"],
    says: "clippy",
    unless: "",
    remedy: "run `rustup component add clippy`",
};

pub const C_COMPILER: Tool = Tool {
    name: "a C compiler",
    probe: &["cc", "--version"],
    says: "",
    unless: "",
    remedy: "install one (Debian: `apt-get install gcc libc6-dev`); the TLS library ring is partly C",
};

pub const GO: Tool = Tool {
    name: "Go 1.26",
    probe: &["go", "version"],
    says: "go1.26",
    unless: "KUBEBUILDER_ASSETS",
    remedy: "install Go 1.26 and put it first in PATH (the control plane for tests is built with it; other releases \
             build one that does not work), or set KUBEBUILDER_ASSETS to a folder with a built one",
};

pub const PYTHON: Tool = Tool {
    name: "Python 3.10 or newer with venv",
    probe: &["python3", "-c", "import sys, ensurepip, venv; print(sys.version_info >= (3, 10))"],
    says: "True",
    unless: "",
    remedy: "install it (Debian: `apt-get install python3 python3-venv`)",
};

pub const GIT: Tool = Tool {
    name: "Git with its http-backend",
    probe: &["sh", "-c", "ls \"$(git --exec-path)/git-http-backend\""],
    says: "git-http-backend",
    unless: "",
    remedy: "install it (Debian: `apt-get install git`)",
};

pub const REDIS: Tool = Tool {
    name: "redis-server",
    probe: &["redis-server", "--version"],
    says: "Redis",
    unless: "",
    remedy: "install it (Debian: `apt-get install redis-server`)",
};

pub const SOCAT: Tool = Tool {
    name: "socat",
    probe: &["socat", "-V"],
    says: "socat",
    unless: "",
    remedy: "install it (Debian: `apt-get install socat`)",
};

pub const OWN_NETWORK: Tool = Tool {
    name: "the right to make a network namespace",
    probe: &["unshare", "--net", "ip", "link", "set", "lo", "up"],
    says: "",
    unless: "",
    remedy: "run as root, with util-linux and iproute2 installed; Argo CD's metrics listen on every address otherwise",
};

pub const BUILDAH: Tool = Tool {
    name: "buildah",
    probe: &["buildah", "--version"],
    says: "buildah version",
    unless: "",
    remedy: "install it (Debian: `apt-get install buildah`), or build the image with another tool: `docker build .`",
};

impl Tool {
    /// An error with the remedy when the tool is not usable.
    pub fn check(&self) -> anyhow::Result<()> {
        if !self.unless.is_empty() && std::env::var_os(self.unless).is_some_and(|value| !value.is_empty()) {
            return Ok(());
        }
        let [program, arguments @ ..] = self.probe else { bail!("no way to find {} is known", self.name) };
        match Command::new(program).args(arguments).stdin(Stdio::null()).output() {
            Ok(output) if output.status.success() && contains(&output.stdout, self.says) => Ok(()),
            Ok(output) => {
                let said = [output.stdout, output.stderr].concat();
                let said = String::from_utf8_lossy(&said).trim().to_owned();
                bail!(
                    "{} is needed, and `{}` says {said:?}: {}",
                    self.name,
                    self.probe.join(" "),
                    self.remedy
                )
            }
            Err(error) => {
                bail!("{} is needed, and `{program}` cannot be run ({error}): {}", self.name, self.remedy)
            }
        }
    }
}

fn contains(output: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(output).contains(text)
}

/// Why what Prometheus judges cannot run here; where `CI` is set, that is a failure of these tests instead.
pub fn no_prometheus() -> Option<String> {
    absent(&["prometheus", "promtool"], "Debian has both in the package prometheus")
}

/// Why the commands of the book cannot run here; where `CI` is set, that is a failure of these tests instead.
pub fn no_curl_or_jq() -> Option<String> {
    absent(&["curl", "jq"], "Debian has packages of these names")
}

fn absent(programs: &[&str], remedy: &str) -> Option<String> {
    if std::env::var_os("CI").is_some_and(|value| !value.is_empty()) {
        return None;
    }
    let is_absent = |program: &&&str| Command::new(program).arg("--version").output().is_err();
    let missing: Vec<_> = programs.iter().filter(is_absent).copied().collect();
    (!missing.is_empty()).then(|| format!("no {}; {remedy}", missing.join(", ")))
}

/// Runs a command with our input, hands on what it prints, and says what runs where that is nothing.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    without_us(command);
    judged(&line, watch::status(&line, command)?)
}

/// Runs a command with our input and its own output: where that goes to somebody else, or where silence is meant.
pub fn attached(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    without_us(command);
    judged(&line, command.status().with_context(|| format!("failed to start `{line}`"))?)
}

/// Becomes a program of ours: Ctrl-C is for it alone, and nobody returns to the shell before it has ended.
pub fn become_program(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    without_us(command);
    Err(anyhow!(command.exec()).context(format!("failed to start `{line}`")))
}

fn judged(line: &str, status: ExitStatus) -> anyhow::Result<()> {
    ensure!(status.success(), "`{line}` ended with {status}");
    Ok(())
}

/// Takes away what cargo says about this package when it runs us. A cargo below us would hand it to build scripts, some of
/// which (ring's) then compile anew, and again when we are started from a shell.
fn without_us(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_about_us(&name.to_string_lossy())) {
        command.env_remove(name);
    }
}

/// Runs a tool that says much when all is well.
pub fn quiet(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    let output = progress::during(&line, || command.output());
    let output = output.with_context(|| format!("failed to start `{line}`"))?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(
        output.status.success(),
        "`{line}` ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&said)
    );
    Ok(())
}

fn is_about_us(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| variable.starts_with(prefix))
}

/// The command as one would type it, without its folder and environment.
pub fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program()).to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_said_with_its_remedy() {
        let tool = Tool { probe: &["no-such-tool"], ..PYTHON };
        let message = tool.check().unwrap_err().to_string();
        assert!(message.contains("with venv is needed, and `no-such-tool` cannot be run"), "{message}");
        assert!(message.ends_with(PYTHON.remedy), "{message}");
    }

    #[test]
    fn a_tool_of_another_version_is_said_with_what_it_says() {
        let tool = Tool { probe: &["echo", "False"], ..PYTHON };
        let message = tool.check().unwrap_err().to_string();
        assert!(message.contains("`echo False` says \"False\""), "{message}");
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/somewhere/bin/cargo");
        assert_eq!(line(command.args(["doc", "--no-deps"])), "cargo doc --no-deps");
    }
}
