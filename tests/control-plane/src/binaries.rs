//! Finds the programs of a control plane: those of `KUBEBUILDER_ASSETS`, else those of the cache, else downloaded, else built.
//! In: the environment. Out: paths of programs that exist.
//! May not start any of them.

use std::env;
use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::fetch::Limits;
use crate::node::pause;
use crate::{modules, official, say};

/// The programs of one control plane.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// etcd, 3.5 or newer.
    pub etcd: PathBuf,
    /// kube-apiserver.
    pub api_server: PathBuf,
    /// kube-controller-manager. Absent only when `KUBEBUILDER_ASSETS` has none: then nothing is collected as garbage,
    /// a deleted namespace stays, and no namespace gets its default account.
    pub controller_manager: Option<PathBuf>,
    /// kubectl.
    pub kubectl: PathBuf,
}

impl Binaries {
    /// Finds the programs, downloads or builds them, with progress on standard error. Blocks meanwhile: for about five
    /// minutes on two cores where they are built.
    ///
    /// # Errors
    /// When `KUBEBUILDER_ASSETS` lacks a program; or when they cannot be downloaded, and Go 1.26 is missing or the build
    /// fails.
    pub fn find() -> Result<Self> {
        match env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()) {
            Some(folder) => Self::given(Path::new(&folder)),
            None => Self::of_cache(&Cache::of_user()?),
        }
    }

    fn of_cache(cache: &Cache) -> Result<Self> {
        let downloads = official::downloads(modules::KUBERNETES_VERSION);
        let downloaded = downloads.as_ref().and_then(|downloads| official::present(cache, downloads));
        if let Some(found) = downloaded.map(|bin| Self::in_one(&bin)).or_else(|| Self::built_before(cache)) {
            return Ok(found);
        }
        match downloads {
            Some(downloads) => first(
                || official::programs(cache, &downloads, Limits::default()).map(|bin| Self::in_one(&bin)),
                || Self::built(cache),
            ),
            None => Self::built(cache),
        }
    }

    fn given(folder: &Path) -> Result<Self> {
        let program = |name: &str| {
            let path = folder.join(name);
            path.is_file().then_some(path).ok_or_else(|| Error::Missing {
                what: format!("KUBEBUILDER_ASSETS names {}, which holds no {name}", folder.display()),
                remedy: "put it there, or unset the variable to have everything downloaded or built".into(),
            })
        };
        let controller_manager = program("kube-controller-manager").ok();
        if controller_manager.is_none() {
            say(&format!(
                "{} holds no kube-controller-manager: garbage is not collected and namespaces are not deleted",
                folder.display()
            ));
        }
        Ok(Self {
            etcd: program("etcd")?,
            api_server: program("kube-apiserver")?,
            controller_manager,
            kubectl: program("kubectl")?,
        })
    }

    /// All programs of one folder.
    fn in_one(bin: &Path) -> Self {
        Self::in_folders(bin, bin)
    }

    fn in_folders(etcd: &Path, kubernetes: &Path) -> Self {
        Self {
            etcd: etcd.join("etcd"),
            api_server: kubernetes.join("kube-apiserver"),
            controller_manager: Some(kubernetes.join("kube-controller-manager")),
            kubectl: kubernetes.join("kubectl"),
        }
    }

    fn built_before(cache: &Cache) -> Option<Self> {
        let (etcd, kubernetes) = (modules::etcd().present(cache)?, modules::kubernetes().present(cache)?);
        Some(Self::in_folders(&etcd, &kubernetes))
    }

    fn built(cache: &Cache) -> Result<Self> {
        let etcd = modules::etcd().programs(cache)?;
        let kubernetes = modules::kubernetes().programs(cache)?;
        Ok(Self::in_folders(&etcd, &kubernetes))
    }
}

/// The first way, or the second where that fails, which is said.
fn first<T>(way: impl FnOnce() -> Result<T>, else_way: impl FnOnce() -> Result<T>) -> Result<T> {
    way().or_else(|error| {
        say(&format!("{error}; building the programs from Go modules instead"));
        else_way()
    })
}

/// The programs of one node, beside those that the system brings.
#[derive(Clone, Debug)]
pub(crate) struct NodeBinaries {
    pub(crate) kubelet: PathBuf,
    pub(crate) scheduler: PathBuf,
    /// An archive with the image of the container that every pod has.
    pub(crate) pause: PathBuf,
}

impl NodeBinaries {
    /// Finds the programs, or builds them: about half a minute on two cores when a control plane has been built here.
    pub(crate) fn find() -> Result<Self> {
        let cache = Cache::of_user()?;
        let pause = pause::find(&cache)?;
        let given = env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        // The convention knows of no kubelet, so that a folder without one is not wrong.
        let given = given
            .filter(|folder| folder.join("kubelet").is_file() && folder.join("kube-scheduler").is_file());
        let folder = given.map_or_else(|| modules::kubernetes_node().programs(&cache), Ok)?;
        Ok(Self { kubelet: folder.join("kubelet"), scheduler: folder.join("kube-scheduler"), pause })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn given_programs_may_lack_a_controller_manager_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["etcd", "kube-apiserver"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let message = Binaries::given(folder.path()).unwrap_err().to_string();
        assert!(message.contains("holds no kubectl") && message.contains("unset the variable"), "{message}");
        fs::write(folder.path().join("kubectl"), "").unwrap();
        assert!(Binaries::given(folder.path()).unwrap().controller_manager.is_none());
    }

    #[test]
    fn what_cannot_be_downloaded_is_built_and_what_can_is_not() {
        let late = || Error::Late { what: "it".into(), waited: std::time::Duration::ZERO };
        assert_eq!(first(|| Err(late()), || Ok("built")).unwrap(), "built");
        assert_eq!(first(|| Ok("downloaded"), || Err(late())).unwrap(), "downloaded");
        assert!(first(|| Err::<(), _>(late()), || Err(late())).is_err());
    }
}
