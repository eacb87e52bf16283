//! Builds the parts of a control plane from the small Go modules checked in under `go/`.
//! In: a module and the cache. Out: a folder with its programs, built once per module, recipe and Go version.
//! The modules are compiled in, so that this works wherever the checkout was; may not touch the checkout.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use crate::cache::{self, Cache};
use crate::error::{Error, Result};
use crate::far::Far;
use crate::guard::Guarded;
use crate::progress::Beat;
use crate::say;

/// The release of Go that Kubernetes 1.36 is built with. Under Go 1.27 its API server starts, but serves a broken
/// `OpenAPI` document and never discovers a CRD.
const GO: &str = "go1.26";
const REMEDY: &str = "install Go 1.26 and put it first in PATH, or run this once where github.com and dl.k8s.io can \
                      be reached, or set KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver, \
                      kube-controller-manager and kubectl";
const TAIL: usize = 30;

/// A Go module whose only purpose is to pin programs and build them.
pub(crate) struct Module {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) go_mod: &'static str,
    pub(crate) go_sum: &'static str,
    pub(crate) packages: &'static [&'static str],
    /// How many packages are compiled for them where nothing is in Go's own cache, as `go list -deps` counts them.
    pub(crate) about: usize,
    /// Under the folder of the entry; with a slash at the end each program has its package's name.
    pub(crate) output: &'static str,
    pub(crate) link: String,
    /// Go files of our own: the path in the module, and what is in them.
    pub(crate) sources: &'static [(&'static str, &'static str)],
    /// Folders of other modules that are kept beside the programs: the module, the folder in it, the name here.
    pub(crate) kept: &'static [(&'static str, &'static str, &'static str)],
}

impl Module {
    /// The folder with the module's programs, built if the cache does not hold it.
    pub(crate) fn programs(&self, cache: &Cache) -> Result<PathBuf> {
        Ok(self.entry(cache)?.join("bin"))
    }

    /// The folder with the module's programs in `bin`, and with what is kept beside them.
    pub(crate) fn entry(&self, cache: &Cache) -> Result<PathBuf> {
        cache.entry(self.name, &self.key()?, |draft| self.build(draft))
    }

    /// The folder with what is kept of other modules, without a program: what is built for long is not built for it.
    pub(crate) fn kept_alone(&self, cache: &Cache) -> Result<PathBuf> {
        cache.entry(&format!("{}-kept", self.name), &self.key()?, |draft| {
            let source = self.write(draft)?;
            self.kept.iter().try_for_each(|(module, folder, name)| {
                output(&source, &["mod", "download", module])?;
                keep(&source, module, folder, &draft.join(name))
            })
        })
    }

    /// The folder with the module's programs, where they were built before.
    pub(crate) fn present(&self, cache: &Cache) -> Option<PathBuf> {
        cache.present(self.name, &self.key().ok()?).map(|entry| entry.join("bin"))
    }

    fn key(&self) -> Result<String> {
        let go = toolchain("go")?;
        let packages = self.packages.join(" ");
        let mut inputs = vec![self.go_mod, self.go_sum, &packages, self.output, &self.link, &go];
        inputs.extend(self.sources.iter().flat_map(|(path, content)| [*path, *content]));
        inputs.extend(self.kept.iter().flat_map(|(module, folder, name)| [*module, *folder, *name]));
        Ok(cache::key(&inputs))
    }

    /// The version that is built.
    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    /// The folder with the source of the module that the packages are of.
    pub(crate) fn source(&self, draft: &Path) -> Result<PathBuf> {
        folder_of(&self.write(draft)?, "k8s.io/kubernetes")
    }

    fn build(&self, draft: &Path) -> Result<()> {
        let bin = draft.join("bin");
        fs::create_dir(&bin).map_err(Error::file("create", bin))?;
        let source = self.write(draft)?;
        let mut go = go(&source);
        go.args(["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", &self.link, "-o"])
            .arg(draft.join(self.output))
            .args(self.packages);
        self.run(&go)?;
        self.kept
            .iter()
            .try_for_each(|(module, folder, name)| keep(&source, module, folder, &draft.join(name)))
    }

    /// Writes the module into the draft, and says where.
    fn write(&self, draft: &Path) -> Result<PathBuf> {
        let source = draft.join("module");
        fs::create_dir(&source).map_err(Error::file("create", &source))?;
        let files = [("go.mod", self.go_mod), ("go.sum", self.go_sum)];
        for (name, content) in files.iter().chain(self.sources) {
            let path = source.join(name);
            let folder = path.parent().unwrap_or(&source);
            fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
            fs::write(&path, content).map_err(Error::file("write", &path))?;
        }
        Ok(source)
    }

    fn run(&self, go: &Command) -> Result<()> {
        // The last part of a single package may be a version: that of etcd ends with `/v3`.
        let last = |package: &&'static str| package.rsplit('/').next();
        let names: Vec<_> = self.packages.iter().filter_map(last).collect();
        let names = if names.len() == 1 { self.name.to_owned() } else { names.join(", ") };
        say(&format!(
            "building {names} {} from Go modules, once (minutes the first time; kept in the cache)",
            self.version
        ));
        let started = Instant::now();
        let mut build = Guarded::spawn(go, Stdio::null(), Stdio::piped())?;
        let tail = build.stderr().map(|stderr| self.follow(stderr, started)).unwrap_or_default();
        let status = build.wait()?;
        if !status.success() {
            return Err(Error::Failed { what: format!("building {names}"), status, tail });
        }
        say(&format!("built {} {} in {} s", self.name, self.version, started.elapsed().as_secs()));
        Ok(())
    }

    /// Reads the build's lines to their end, says now and then how far it is, and returns the last ones.
    fn follow(&self, stderr: impl std::io::Read + Send + 'static, started: Instant) -> String {
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| send.send(line).map_err(drop))
        });
        let (mut tail, mut far, mut beat) = (VecDeque::new(), Far::default(), Beat::default());
        loop {
            match lines.recv_timeout(beat.left(started.elapsed())) {
                Ok(line) => {
                    far.read(&line);
                    tail.push_back(line);
                    tail.drain(..tail.len().saturating_sub(TAIL));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Vec::from(tail).join("\n"),
            }
            if beat.due(started.elapsed()) {
                say(&far.line(self.name, self.about, started.elapsed().as_secs()));
            }
        }
    }
}

/// A Go in a module; what the user set for other modules must not change what is built under this key.
fn go(source: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(source).envs([
        ("CGO_ENABLED", "0"),
        ("GOTOOLCHAIN", "local"),
        ("GOFLAGS", "-mod=readonly"),
        ("GOWORK", "off"),
    ]);
    go
}

/// What Go prints in a module.
fn output(source: &Path, words: &[&str]) -> Result<String> {
    let output = go(source).args(words).output();
    let output = output.map_err(|source| Error::Spawn { program: "go".into(), source })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let what = format!("go {}", words.join(" "));
    Err(Error::Failed { what, status: output.status, tail: text(&output.stderr) })
}

/// The folder with the source of a module that the module in a folder uses.
fn folder_of(source: &Path, module: &str) -> Result<PathBuf> {
    output(source, &["list", "-m", "-f", "{{.Dir}}", module]).map(PathBuf::from)
}

/// Copies the files of a folder of another module.
fn keep(source: &Path, module: &str, folder: &str, to: &Path) -> Result<()> {
    let from = folder_of(source, module)?.join(folder);
    fs::create_dir(to).map_err(Error::file("create", to))?;
    for file in fs::read_dir(&from).map_err(Error::file("read", &from))? {
        let file = file.map_err(Error::file("read", &from))?;
        // Read and written, not copied: the files of the module cache are read-only.
        let content = fs::read(file.path()).map_err(Error::file("read", file.path()))?;
        let path = to.join(file.file_name());
        fs::write(&path, content).map_err(Error::file("write", &path))?;
    }
    Ok(())
}

/// The version line of a usable Go, which names the platform too.
fn toolchain(go: &str) -> Result<String> {
    let output = Command::new(go).arg("version").env("GOTOOLCHAIN", "local").output();
    let output = output.map_err(|error| Error::Missing {
        what: format!("Go 1.26 is needed to build a control plane, and {go:?} cannot be run ({error})"),
        remedy: REMEDY.into(),
    })?;
    usable(String::from_utf8_lossy(&output.stdout).trim())
}

fn usable(version: &str) -> Result<String> {
    let release = version.split_whitespace().nth(2).unwrap_or("nothing");
    if release == GO || release.starts_with(&format!("{GO}.")) {
        return Ok(version.to_owned());
    }
    Err(Error::Missing {
        what: format!("Go 1.26 is needed to build a control plane, and {release} is first in PATH"),
        remedy: REMEDY.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules;

    #[test]
    fn another_release_of_go_is_refused_with_the_remedy() {
        for version in ["go version go1.25.9 linux/amd64", "go version go1.27.0 linux/arm64", "go1.26.1", ""]
        {
            let message = usable(version).unwrap_err().to_string();
            assert!(
                message.contains("Go 1.26 is needed") && message.contains("KUBEBUILDER_ASSETS"),
                "{message}"
            );
        }
        assert!(usable("go version go1.26.8 linux/amd64").is_ok());
        assert!(usable("go version go1.26 linux/amd64").is_ok());
    }

    #[test]
    fn a_missing_go_is_said_with_the_remedy() {
        let message = toolchain("no-such-go").unwrap_err().to_string();
        assert!(
            message.contains("\"no-such-go\" cannot be run") && message.contains("install Go 1.26"),
            "{message}"
        );
    }

    #[test]
    fn how_far_a_build_is_follows_its_lines() {
        let mut far = Far::default();
        far.read("go: downloading k8s.io/api v0.36.2");
        assert_eq!(far.line("etcd", 800, 20), "etcd: 1 modules downloaded, nothing compiled yet, 20 s");
        for line in ["runtime", "net/http"] {
            far.read(line);
        }
        assert_eq!(far.line("etcd", 800, 30), "etcd: 2 of about 800 packages compiled, 30 s");
    }

    #[test]
    fn a_failed_build_shows_its_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let broken = Module { packages: &["k8s.io/no-such-package"], ..modules::etcd() };
        let error = broken.programs(&Cache::at(folder.path())).unwrap_err().to_string();
        assert!(error.contains("building etcd failed"), "{error}");
        assert!(error.contains("providing package k8s.io/no-such-package"), "{error}");
    }
}
