//! OpenSSH's own server on loopback, which lets one key run `git-upload-pack`.
//!
//! In: kinds of keys, settings. Out: a port, keys, lines of `known_hosts`. It ends with the test.

#![allow(clippy::unwrap_used, reason = "a test")]

use anyhow::{Context as _, Result, ensure};
use azureml_source::{Login, SshKey};
use secrecy::SecretString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Debian has it outside of every user's path.
const PROGRAM: &str = "/usr/sbin/sshd";

/// A running server.
pub struct Sshd {
    pub port: u16,
    folder: TempDir,
    child: Child,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sshd {
    /// A server with host keys of these kinds; nothing where Debian's package openssh-server is not installed, or nobody but root may
    /// start it.
    pub fn start(kinds: &[&str], settings: &str) -> Result<Option<Self>> {
        if !Path::new(PROGRAM).exists() || !is_root()? {
            ensure!(std::env::var_os("CI").is_none(), "install Debian's package openssh-server, as root");
            eprintln!("skipped: Debian's package openssh-server is not installed, or this is not root");
            return Ok(None);
        }
        // What the server gives up its rights in.
        std::fs::create_dir_all("/run/sshd")?;
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        let mut text = format!(
            "ListenAddress 127.0.0.1\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             PermitRootLogin prohibit-password\nAuthorizedKeysFile {}\n{settings}\n",
            at("authorized")
        );
        for kind in kinds {
            generate(&at(&format!("host-{kind}")), kind, &[])?;
            text.extend(["HostKey ", &at(&format!("host-{kind}")), "\n"]);
        }
        std::fs::write(at("settings"), text)?;
        for _ in 0..TRIES {
            let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            if let Some(child) = launch(&at("settings"), port)? {
                return Ok(Some(Self { port, folder, child }));
            }
        }
        anyhow::bail!("sshd did not start")
    }

    /// The address of a repository.
    pub fn url(&self, path: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", user(), self.port, path.display())
    }

    /// A key of a user, made by `ssh-keygen` with more arguments, which the server takes.
    pub fn key(&self, kind: &str, more: &[&str]) -> Result<SecretString> {
        let path = self.folder.path().join(format!("user-{kind}-{}", more.len()));
        generate(path.to_str().context("no text")?, kind, more)?;
        std::fs::copy(path.with_extension("pub"), self.folder.path().join("authorized"))?;
        Ok(SecretString::from(std::fs::read_to_string(path)?))
    }

    /// The lines of `known_hosts` for a kind of its keys.
    pub fn known(&self, kind: &str) -> Result<String> {
        let line = std::fs::read_to_string(self.folder.path().join(format!("host-{kind}.pub")))?;
        Ok(format!("[127.0.0.1]:{} {line}", self.port))
    }
}

/// What a Secret holds.
pub fn login(private: &SecretString, known_hosts: &str) -> Login {
    let known_hosts = known_hosts.to_owned();
    Login::Key(SshKey { private: private.clone(), passphrase: None, known_hosts })
}

/// Another process can take a port between the moment we found it free and the server's start.
const TRIES: usize = 5;

/// Starts the server; nothing where it does not listen.
fn launch(settings: &str, port: u16) -> Result<Option<Child>> {
    let mut command = Command::new(PROGRAM);
    command.args(["-D", "-e", "-f", settings, "-p", &port.to_string()]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().context("no log")?).lines();
    let listens = |line: std::io::Result<String>| line.is_ok_and(|line| line.contains("Server listening"));
    if !lines.by_ref().any(listens) {
        child.wait()?;
        return Ok(None);
    }
    // A log that nobody reads would stop the server.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(Some(child))
}

fn generate(path: &str, kind: &str, more: &[&str]) -> Result<()> {
    // It would ask whether it may write over an older one.
    drop(std::fs::remove_file(path));
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", kind, "-f", path]);
    if !more.contains(&"-N") {
        command.args(["-N", ""]);
    }
    let output = command.args(more).output()?;
    ensure!(output.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn is_root() -> Result<bool> {
    Ok(Command::new("id").arg("-u").output()?.stdout == b"0\n")
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
