//! Programs that are compiled into the user's cache the first time they are needed. In: which. Out: its path.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use azureml_control_plane::Cache;

use crate::tools;

/// A program that `cargo install` builds.
struct Installed {
    /// The package, which is also the name of its program.
    name: &'static str,
    version: &'static str,
    /// Arguments of `cargo install`.
    features: &'static [&'static str],
    /// How long that takes on two cores.
    minutes: u32,
}

const CARGO_DENY: Installed = Installed { name: "cargo-deny", version: "0.20.2", features: &[], minutes: 4 };

const CARGO_CYCLONEDX: Installed =
    Installed { name: "cargo-cyclonedx", version: "0.5.9", features: &[], minutes: 2 };

/// Without its server, which would be half of what is compiled.
const MDBOOK: Installed = Installed {
    name: "mdbook",
    version: "0.5.4",
    features: &["--no-default-features", "--features", "search"],
    minutes: 3,
};

/// actionlint as a Go module, in the release that knows the actions in use.
const ACTIONLINT: &str = "1.7.12";

/// The path of cargo-deny.
pub fn cargo_deny() -> anyhow::Result<PathBuf> {
    CARGO_DENY.path()
}

/// The path of cargo-cyclonedx.
pub fn cargo_cyclonedx() -> anyhow::Result<PathBuf> {
    CARGO_CYCLONEDX.path()
}

/// The path of mdBook.
pub fn mdbook() -> anyhow::Result<PathBuf> {
    MDBOOK.path()
}

/// The path of actionlint.
pub fn actionlint() -> anyhow::Result<PathBuf> {
    let entry = Cache::of_user()?.entry("actionlint", ACTIONLINT, |draft| {
        println!("installing actionlint {ACTIONLINT}, once (kept in the cache)");
        let module = format!("github.com/rhysd/actionlint/cmd/actionlint@v{ACTIONLINT}");
        let mut install = Command::new("go");
        install.args(["install", &module]).env("GOBIN", draft).env("GOFLAGS", "");
        tools::run(&mut install).context("failed to install actionlint")
    })?;
    Ok(entry.join("actionlint"))
}

impl Installed {
    fn path(&self) -> anyhow::Result<PathBuf> {
        let entry = Cache::of_user()?.entry(self.name, self.version, |draft| self.install(draft))?;
        Ok(entry.join("bin").join(self.name))
    }

    fn install(&self, draft: &Path) -> anyhow::Result<()> {
        let Self { name, version, features, minutes } = self;
        println!(
            "installing {name} {version}, once (about {minutes} minutes on two cores; kept in the cache)"
        );
        let started = Instant::now();
        let mut install = Command::new("cargo");
        install.args(["install", "--locked", "--version", version, name]).args(*features);
        // Not the folder of this checkout, which would keep 1 GB of a tool's objects.
        install.arg("--root").arg(draft).arg("--target-dir").arg(draft.join("target"));
        tools::run(&mut install).with_context(|| format!("failed to install {name}"))?;
        println!("installed {name} {version} in {} s", started.elapsed().as_secs());
        std::fs::remove_dir_all(draft.join("target"))
            .with_context(|| format!("failed to remove what {name} was built in"))
    }
}
