//! Finds the programs of a control plane: those of `KUBEBUILDER_ASSETS`, else those of the cache, else built.
//! In: the environment. Out: paths of programs that exist.
//! May not start any of them.

use std::env;
use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::node::pause;
use crate::{modules, say};

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
    /// Finds the programs, or builds them: about five minutes on two cores the first time, with progress on standard
    /// error. Blocks meanwhile.
    ///
    /// # Errors
    /// When `KUBEBUILDER_ASSETS` lacks a program, Go 1.26 is missing, or the build fails.
    pub fn find() -> Result<Self> {
        match env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()) {
            Some(folder) => Self::given(Path::new(&folder)),
            None => Self::built(&Cache::of_user()?),
        }
    }

    fn given(folder: &Path) -> Result<Self> {
        let program = |name: &str| {
            let path = folder.join(name);
            path.is_file().then_some(path).ok_or_else(|| Error::Missing {
                what: format!("KUBEBUILDER_ASSETS names {}, which holds no {name}", folder.display()),
                remedy: "put it there, or unset the variable to have everything built".into(),
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

    fn built(cache: &Cache) -> Result<Self> {
        let etcd = modules::etcd().programs(cache)?;
        let kubernetes = modules::kubernetes().programs(cache)?;
        Ok(Self {
            etcd: etcd.join("etcd"),
            api_server: kubernetes.join("kube-apiserver"),
            controller_manager: Some(kubernetes.join("kube-controller-manager")),
            kubectl: kubernetes.join("kubectl"),
        })
    }
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
}
