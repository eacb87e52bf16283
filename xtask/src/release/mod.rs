//! `cargo xtask release`: everything that a release consists of, in one folder, with checksums.
//! In: the workspace at one version. Out: files. What cannot be right is said before anything is built. Publishes and
//! signs nothing: that is what `.github/workflows/release.yaml` does with these files.

mod contents;
mod plugin;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use azureml_control_plane::Node;

use crate::image::{binary, licences};
use crate::sbom;
use crate::workspace::Workspace;

/// Makes what a release consists of: binaries, image, chart, CRDs, SBOM, licences, checksums.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder for the files; it is emptied first.
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// From a tree in any state, without the plugin of kubectl, and with the binary and the image of the tests, which are built sooner; without
    /// these two where a node of the tests could not run either.
    #[arg(long)]
    dry_run: bool,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
const CHECKSUMS: &str = "SHA256SUMS";

/// Makes them.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let changelog = read(&workspace.root.join("CHANGELOG.md"))?;
    check_versions(&read(&workspace.root.join("charts/azureml-operator/Chart.yaml"))?, &changelog)?;
    if !arguments.dry_run {
        check_tree(&workspace, &changelog)?;
    }
    let folder = std::path::absolute(&arguments.output)?;
    empty(&folder)?;
    contents::chart(&workspace, &folder)?;
    contents::crds(&folder.join(format!("azureml-operator-{VERSION}-crds.yaml")))?;
    sbom::write(&workspace, &folder.join(format!("azureml-operator-{VERSION}.cdx.json")))?;
    write(
        &folder.join("THIRD-PARTY"),
        &licences::collect(&workspace, &[binary::OPERATOR.0, plugin::PLUGIN.0])?,
    )?;
    write(&folder.join("NOTES.md"), notes(&changelog)?)?;
    for name in ["LICENSE", "NOTICE"] {
        fs::copy(workspace.root.join(name), folder.join(name))
            .with_context(|| format!("failed to copy {name}"))?;
    }
    let missing = if arguments.dry_run { Node::unavailable() } else { None };
    if missing.is_none() {
        let profile = if arguments.dry_run { "trial" } else { "release" };
        let binary = folder.join(format!("azureml-operator-{VERSION}-linux-amd64"));
        let archive = folder.join(format!("azureml-operator-{VERSION}-image.tar"));
        contents::image(&workspace, profile, &binary, &archive)?;
    }
    // Beside the gate's other builds it would take minutes more.
    if !arguments.dry_run {
        plugin::make(&workspace, VERSION, &folder)?;
    }
    let sums = contents::checksums(&folder)?;
    write(&folder.join(CHECKSUMS), &sums)?;
    println!("release {VERSION} in {}:", folder.display());
    print!("{sums}");
    if let Some(missing) = missing {
        println!("left out: the binary and the image: {missing}");
    }
    Ok(())
}

/// One version everywhere: the workspace's.
fn check_versions(chart: &str, changelog: &str) -> anyhow::Result<()> {
    for field in ["version", "appVersion"] {
        let line = format!("{field}: {VERSION}");
        ensure!(chart.lines().any(|found| found == line), "Chart.yaml does not say `{line}`");
    }
    notes(changelog).map(drop)
}

/// What is published can be made again by everybody: from a commit with its tag.
fn check_tree(workspace: &Workspace, changelog: &str) -> anyhow::Result<()> {
    let git = |arguments: &[&str]| -> anyhow::Result<String> {
        let output = Command::new("git").args(arguments).current_dir(&workspace.root).output()?;
        ensure!(
            output.status.success(),
            "git {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    };
    ensure!(
        git(&["status", "--porcelain"])?.is_empty(),
        "the tree is not clean; a release is made of a commit"
    );
    let tag = format!("v{VERSION}");
    let tags = git(&["tag", "--points-at", "HEAD"])?;
    ensure!(tags.lines().any(|found| found == tag), "HEAD has no tag {tag}; `git tag -s {tag}` makes it");
    let heading = heading(changelog)?;
    ensure!(!heading.ends_with("Unreleased"), "CHANGELOG.md says `{heading}`: give it its date");
    Ok(())
}

/// The heading of this version in the changelog.
fn heading(changelog: &str) -> anyhow::Result<&str> {
    let begins = format!("## [{VERSION}] - ");
    let heading = changelog.lines().find(|line| line.starts_with(&begins));
    heading.with_context(|| format!("CHANGELOG.md has no `{begins}…`"))
}

/// What the changelog says of this version.
fn notes(changelog: &str) -> anyhow::Result<&str> {
    let heading = heading(changelog)?;
    let (_, rest) = changelog.split_once(heading).context("the heading is not there")?;
    let notes = rest.split("\n## [").next().unwrap_or_default().trim();
    ensure!(!notes.is_empty(), "CHANGELOG.md says nothing below `{heading}`");
    Ok(notes)
}

fn empty(folder: &Path) -> anyhow::Result<()> {
    if folder.join(CHECKSUMS).is_file() {
        fs::remove_dir_all(folder).with_context(|| format!("failed to empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let others = fs::read_dir(folder)?.count();
    ensure!(others == 0, "{} holds something that is no release; name another folder", folder.display());
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notes_are_the_section_of_this_version() {
        let changelog = format!(
            "# Changelog\n\n## [{VERSION}] - Unreleased\n\n### Added\n\n- It.\n\n## [0.0.1] - 2020-01-01\n\n- Old.\n"
        );
        assert_eq!(notes(&changelog).unwrap(), "### Added\n\n- It.");
        assert!(notes("## [0.0.0] - 2020-01-01\n\n- Old.\n").is_err());
        assert!(notes(&format!("## [{VERSION}] - 2020-01-01\n\n## [0.0.0] - 2019-01-01\n")).is_err());
    }

    #[test]
    fn another_version_in_the_chart_is_refused() {
        let changelog = format!("## [{VERSION}] - Unreleased\n- It.\n");
        let chart = |version: &str| format!("version: {VERSION}\nappVersion: {version}\n");
        assert!(check_versions(&chart(VERSION), &changelog).is_ok());
        assert!(check_versions(&chart("9.9.9"), &changelog).is_err());
    }

    #[test]
    fn only_a_folder_that_is_empty_or_a_release_is_emptied() {
        let folder = std::env::temp_dir().join(format!("release-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("thesis.txt"), "").unwrap();
        assert!(empty(&folder).is_err());
        fs::write(folder.join(CHECKSUMS), "").unwrap();
        assert!(empty(&folder).is_ok());
        fs::remove_dir_all(folder).unwrap();
    }
}
