//! The Go modules that a control plane and its node are built from, as data: which, of which version, with which recipe.
//! What builds them is [`crate::go`].

use crate::go::Module;

pub(crate) const KUBERNETES_VERSION: &str = "1.36.2";
/// The one in envtest's archive of this Kubernetes, see [`crate::official`]: the same program, downloaded or built.
const ETCD_VERSION: &str = "3.6.8";

/// kube-apiserver, kube-controller-manager and kubectl.
pub(crate) fn kubernetes() -> Module {
    let (major, minor) = ("1", KUBERNETES_VERSION.split('.').nth(1).unwrap_or_default());
    // Without a version Helm refuses every chart that states a `kubeVersion`, and kubectl cannot read the server's.
    let stamp = |package: &str| {
        format!(
            "-X {package}.gitVersion=v{KUBERNETES_VERSION} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
        )
    };
    Module {
        name: "kubernetes",
        version: KUBERNETES_VERSION,
        go_mod: include_str!("../go/kubernetes/go.mod"),
        go_sum: include_str!("../go/kubernetes/go.sum"),
        packages: &[
            "k8s.io/kubernetes/cmd/kube-apiserver",
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            "k8s.io/kubernetes/cmd/kubectl",
        ],
        about: 2600,
        output: "bin/",
        link: format!(
            "-s -w {} {}",
            stamp("k8s.io/component-base/version"),
            stamp("k8s.io/client-go/pkg/version")
        ),
        sources: &[],
        kept: &[],
    }
}

/// kubelet and kube-scheduler, of the same module: apart, since only a node needs them.
pub(crate) fn kubernetes_node() -> Module {
    Module {
        name: "kubernetes-node",
        packages: &["k8s.io/kubernetes/cmd/kubelet", "k8s.io/kubernetes/cmd/kube-scheduler"],
        about: 1800,
        ..kubernetes()
    }
}

/// etcd, of the minor release that this Kubernetes is tested with. A module of its own: the two cannot share their
/// dependencies' versions.
pub(crate) fn etcd() -> Module {
    Module {
        name: "etcd",
        version: ETCD_VERSION,
        go_mod: include_str!("../go/etcd/go.mod"),
        go_sum: include_str!("../go/etcd/go.sum"),
        packages: &["go.etcd.io/etcd/server/v3"],
        about: 570,
        output: "bin/etcd",
        link: "-s -w".into(),
        sources: &[],
        kept: &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_versions_are_those_of_the_modules() {
        let requires = |module: Module, what: &str| {
            module.go_mod.lines().any(|line| line.trim().trim_end_matches(" // indirect") == what)
        };
        assert!(requires(kubernetes(), &format!("k8s.io/kubernetes v{KUBERNETES_VERSION}")));
        assert!(requires(etcd(), &format!("go.etcd.io/etcd/server/v3 v{ETCD_VERSION}")));
    }
}
