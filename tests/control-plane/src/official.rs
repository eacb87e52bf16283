//! The programs as their projects publish them: each download by its address and its pinned SHA-256.
//! In: the cache. Out: a folder with the programs, or why there is none. May not build anything.
//!
//! The archive is the one of controller-runtime's envtest: kube-apiserver, kubectl and etcd. Its sum and the programs' are
//! those of cert-manager's tools and of published installations, which compare them with the projects' own lists.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::cache::{self, Cache};
use crate::error::{Error, Result};
use crate::fetch::{Limits, fetch};
use crate::say;

/// One file that is downloaded.
#[derive(Clone, Debug)]
pub(crate) struct Download {
    pub(crate) url: String,
    /// In lower-case hexadecimal digits.
    pub(crate) sha256: &'static str,
    pub(crate) holds: Holds,
}

/// What a downloaded file is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holds {
    /// A program of this name.
    Program(&'static str),
    /// A `.tar.gz` with programs of these names, in whichever folder of it.
    Archive(&'static [&'static str]),
}

/// The names of the programs.
pub(crate) const PROGRAMS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

/// The release whose sums these are.
const RELEASE: &str = "1.36.2";

/// What is downloaded of a release on this platform. `None` where the sum of a program is not known: then all are built.
pub(crate) fn downloads(kubernetes: &str) -> Option<Vec<Download>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) || kubernetes != RELEASE {
        return None;
    }
    let archive = "https://github.com/kubernetes-sigs/controller-tools/releases/download";
    Some(vec![
        Download {
            url: format!("{archive}/envtest-v{kubernetes}/envtest-v{kubernetes}-linux-amd64.tar.gz"),
            sha256: "5e99f4eef3d6f9d4dd063730299f708c98da8801f2f14d8fc762cb354f30c332",
            holds: Holds::Archive(&["etcd", "kube-apiserver", "kubectl"]),
        },
        Download {
            url: format!("https://dl.k8s.io/release/v{kubernetes}/bin/linux/amd64/kube-controller-manager"),
            sha256: "6332e45474baf6362f50394d8f7c6002274db04d68fe51dbe2229ef5c0b21e3c",
            holds: Holds::Program("kube-controller-manager"),
        },
    ])
}

/// The folder with the programs, if they were downloaded before.
pub(crate) fn present(cache: &Cache, downloads: &[Download]) -> Option<PathBuf> {
    cache.present(NAME, &key(downloads)).map(|entry| entry.join("bin"))
}

/// The folder with the programs, downloaded if the cache does not hold them.
pub(crate) fn programs(cache: &Cache, downloads: &[Download], limits: Limits) -> Result<PathBuf> {
    let entry = cache.entry(NAME, &key(downloads), |draft| fill(draft, downloads, limits))?;
    Ok(entry.join("bin"))
}

const NAME: &str = "official";

fn key(downloads: &[Download]) -> String {
    let inputs: Vec<_> =
        downloads.iter().flat_map(|download| [download.url.as_str(), download.sha256]).collect();
    cache::key(&inputs)
}

fn fill(draft: &Path, downloads: &[Download], limits: Limits) -> Result<()> {
    let bin = draft.join("bin");
    fs::create_dir(&bin).map_err(Error::file("create", &bin))?;
    let file = draft.join("download");
    for download in downloads {
        say(&format!("downloading {}, once (kept in the cache)", download.url));
        fetch(&download.url, download.sha256, &file, limits)?;
        match download.holds {
            Holds::Program(name) => {
                fs::rename(&file, bin.join(name)).map_err(Error::file("rename", &file))?;
            }
            Holds::Archive(names) => unpack(&file, names, &bin, &download.url)?,
        }
    }
    for name in PROGRAMS.map(|name| bin.join(name)) {
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&name, executable).map_err(Error::file("make executable", &name))?;
    }
    Ok(())
}

/// Takes these programs out of an archive, and removes it.
fn unpack(archive: &Path, names: &[&str], bin: &Path, url: &str) -> Result<()> {
    let failed = |error: io::Error| Error::file("unpack", archive)(error);
    let mut files = tar::Archive::new(GzDecoder::new(File::open(archive).map_err(failed)?));
    let mut found = 0;
    for file in files.entries().map_err(failed)? {
        let mut file = file.map_err(failed)?;
        let path = file.path().map_err(failed)?.into_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file.header().entry_type().is_file() && names.contains(&name.as_str()) {
            let mut program =
                File::create(bin.join(&name)).map_err(Error::file("create", bin.join(&name)))?;
            io::copy(&mut file, &mut program).map_err(failed)?;
            found += 1;
        }
    }
    if found != names.len() {
        let reason = format!("it holds {found} of {}", names.join(", "));
        return Err(Error::Download { url: url.to_owned(), reason });
    }
    fs::remove_file(archive).map_err(Error::file("remove", archive))
}

#[cfg(test)]
#[path = "official_tests.rs"]
mod tests;
