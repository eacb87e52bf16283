//! The plugin of kubectl in a release: an archive with the program, and the manifest by which krew finds it.
//! In: the program, the template `cli/krew.yaml`. Out: two files. Where it is published is what the workflow says.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};

use crate::image::binary;
use crate::tools;
use crate::workspace::Workspace;

/// The package, and the program in the archive.
pub const PLUGIN: (&str, &str) = ("azureml-cli", PROGRAM);
const PROGRAM: &str = "kubectl-azureml";
/// What goes with it, from the folder of the release.
const FILES: [&str; 4] = [PROGRAM, "LICENSE", "NOTICE", "THIRD-PARTY"];
/// The repository, as hosted workflows name it.
const REPOSITORY: &str = "GITHUB_REPOSITORY";

/// Builds the program, and writes the archive and the manifest into the folder of a release.
pub fn make(workspace: &Workspace, version: &str, folder: &Path) -> anyhow::Result<()> {
    let program = binary::build(workspace, "release", PLUGIN)?;
    let archive = folder.join(format!("{PROGRAM}-{version}-linux-amd64.tar.gz"));
    pack(workspace, &program, folder, &archive)?;
    let mut sum = String::new();
    for byte in Sha256::digest(fs::read(&archive)?) {
        write!(sum, "{byte:02x}")?;
    }
    let template = fs::read_to_string(workspace.root.join("cli/krew.yaml")).context("cli/krew.yaml")?;
    let repository = std::env::var(REPOSITORY).unwrap_or_else(|_| "OWNER/REPOSITORY".to_owned());
    fs::write(folder.join("azureml.yaml"), filled(&template, &repository, version, &sum)?)?;
    Ok(())
}

/// The archive, the same for the same program.
fn pack(workspace: &Workspace, program: &Path, folder: &Path, archive: &Path) -> anyhow::Result<()> {
    let place = tempfile::tempdir().context("a folder for the archive")?;
    fs::copy(program, place.path().join(PROGRAM)).with_context(|| program.display().to_string())?;
    for name in &FILES[1..] {
        fs::copy(folder.join(name), place.path().join(name)).with_context(|| (*name).to_owned())?;
    }
    let mut tar = Command::new("tar");
    tar.args([
        "--create",
        "--gzip",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mode=go-w",
    ]);
    tar.arg("--file").arg(archive).arg(format!("--mtime=@{}", workspace.committed()));
    tools::quiet(tar.arg("--directory").arg(place.path()).args(FILES))
}

/// The manifest of a release.
fn filled(template: &str, repository: &str, version: &str, sum: &str) -> anyhow::Result<String> {
    let text: String = template
        .lines()
        .filter(|line| !line.starts_with('#'))
        .fold(String::new(), |text, line| text + line + "\n");
    for place in ["OWNER/REPOSITORY", "VERSION", "SHA256"] {
        ensure!(text.contains(place), "cli/krew.yaml has no {place} to fill in");
    }
    Ok(text.replace("OWNER/REPOSITORY", repository).replace("VERSION", version).replace("SHA256", sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Source: krew's own validation (`internal/index/validation`): names, a version with v, one selector and sum for each platform, a program
    /// that is among the files.
    /// The program is any file here; what is shipped is built for a release alone.
    #[test]
    fn the_archive_has_the_program_and_the_licences() {
        let workspace = Workspace::load().unwrap();
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let archive = folder.path().join("plugin.tar.gz");
        pack(&workspace, &folder.path().join(PROGRAM), folder.path(), &archive).unwrap();
        let output = Command::new("tar").arg("--list").arg("--file").arg(&archive).output().unwrap();
        let listed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(listed.lines().collect::<Vec<_>>(), FILES);
    }

    #[test]
    fn the_manifest_is_one_that_krew_takes() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let template = fs::read_to_string(root.join("cli/krew.yaml")).unwrap();
        let text = filled(&template, "owner/name", "1.2.3", &"a1".repeat(32)).unwrap();
        assert!(!["OWNER", "VERSION", "SHA256"].iter().any(|left| text.contains(left)), "{text}");
        let manifest: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(manifest["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
        assert_eq!((&manifest["kind"], &manifest["metadata"]["name"]), (&"Plugin".into(), &"azureml".into()));
        let spec = &manifest["spec"];
        assert_eq!(spec["version"], "v1.2.3");
        assert!(
            spec["shortDescription"].as_str().is_some_and(|text| text.len() <= 50 && !text.ends_with('.'))
        );
        let platforms = spec["platforms"].as_array().unwrap();
        for platform in platforms {
            let uri = platform["uri"].as_str().unwrap();
            assert_eq!(
                uri,
                "https://github.com/owner/name/releases/download/v1.2.3/kubectl-azureml-1.2.3-linux-amd64.tar.gz"
            );
            assert_eq!(platform["sha256"].as_str().map(str::len), Some(64));
            assert_eq!(
                platform["selector"]["matchLabels"],
                serde_json::json!({"os": "linux", "arch": "amd64"})
            );
            let from: Vec<&str> = platform["files"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|file| file["from"].as_str())
                .collect();
            assert_eq!((from, platform["bin"].as_str()), (FILES.to_vec(), Some(PROGRAM)));
        }
        assert_eq!(platforms.len(), 1);
        assert!(filled("kind: Plugin", "o/r", "1", "s").is_err());
    }
}
