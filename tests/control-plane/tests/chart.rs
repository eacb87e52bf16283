//! The chart, judged by the real Helm and the real API server: linted, rendered, dry-run, installed, upgraded, removed.
use crate::support;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use azureml_control_plane::{ControlPlane, Options, crds};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::json;
use support::{crate_file, output};

const NAMESPACE: &str = "azureml-system";
const ACCOUNT: &str = "azureml-operator";

fn chart() -> PathBuf {
    crate_file("../../charts/azureml-operator")
}

/// Values for tests.
fn ci(name: &str) -> PathBuf {
    chart().join(format!("ci/{name}-values.yaml"))
}

/// A control plane with a namespace that admits only what Pod Security calls restricted, and warns of the rest.
async fn start(options: Options) -> ControlPlane {
    let plane = ControlPlane::start(options).await.unwrap();
    output(plane.kubectl().args(["create", "namespace", NAMESPACE])).unwrap();
    let labels = ["enforce", "warn"].map(|mode| format!("pod-security.kubernetes.io/{mode}=restricted"));
    output(plane.kubectl().args(["label", "namespace", NAMESPACE]).args(labels)).unwrap();
    plane
}

fn helm(plane: &ControlPlane, command: &str, arguments: &[&str]) -> Result<String, String> {
    let mut helm = plane.helm().unwrap();
    helm.args([command, ACCOUNT]).args(match command {
        "uninstall" => vec![],
        _ => vec![chart()],
    });
    if command == "template" {
        // The pod of `helm test` needs the account, which a dry run does not make; the tests on a node run it.
        helm.arg("--skip-tests");
    }
    output(helm.args(["--namespace", NAMESPACE]).args(arguments))
}

/// What the API server says to these manifests, applied with strict validation and without effect.
fn dry_run(plane: &ControlPlane, manifests: &str) -> Result<String, String> {
    let mut kubectl = plane.kubectl();
    kubectl.args(["apply", "--dry-run=server", "--validate=strict", "-f", "-"]);
    let mut child =
        kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(manifests.as_bytes()).unwrap();
    let answer = child.wait_with_output().unwrap();
    let said = String::from_utf8([answer.stdout, answer.stderr].concat()).unwrap();
    if answer.status.success() && !said.contains("Warning") { Ok(said) } else { Err(said) }
}

/// The CRD of a `ServiceMonitor` as its own project publishes it, from a pinned Go module.
fn service_monitor_crd() -> PathBuf {
    let folder = crate_file("go/prometheus-operator");
    let module = fs::read_to_string(folder.join("go.mod")).unwrap();
    let (name, version) = module.split_once("require ").unwrap().1.trim().split_once(' ').unwrap();
    let mut go = Command::new("go");
    go.args(["mod", "download", "-json", &format!("{name}@{version}")]).current_dir(folder);
    go.envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly"), ("GOWORK", "off")]);
    let said: serde_json::Value = serde_json::from_str(&output(&mut go).unwrap()).unwrap();
    Path::new(said["Dir"].as_str().unwrap())
        .join("example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml")
}

#[test]
fn its_versions_are_those_of_the_workspace() {
    let chart = fs::read_to_string(chart().join("Chart.yaml")).unwrap();
    for line in ["version", "appVersion"].map(|field| format!("{field}: {}", env!("CARGO_PKG_VERSION"))) {
        assert!(chart.lines().any(|stated| stated == line), "Chart.yaml does not say {line:?}");
    }
}

#[tokio::test]
async fn helm_and_the_api_server_accept_it_by_default_with_everything_and_with_little() {
    let plane =
        start(Options { crds: crds::read(service_monitor_crd()).unwrap(), ..Options::default() }).await;
    let (everything, namespaced) = (ci("everything"), ci("namespaced"));
    for team in ["team-a", "team-b"] {
        output(plane.kubectl().args(["create", "namespace", team])).unwrap();
    }
    let little = "rbac.create=false,rbac.userRoles=false,crds.install=false,podDisruptionBudget.enabled=false,serviceAccount.create=false,\
                  serviceAccount.name=mine,workloadIdentity.enabled=true,workloadIdentity.webhook=true";
    for (values, objects) in [
        (vec![], 18),
        (vec!["--values", everything.to_str().unwrap()], 21),
        (vec!["--values", namespaced.to_str().unwrap()], 10),
        (vec!["--set", little], 2),
    ] {
        output(plane.helm().unwrap().args(["lint", "--strict"]).arg(chart()).args(&values)).unwrap();
        let rendered = helm(&plane, "template", &values).unwrap();
        let said = dry_run(&plane, &rendered).unwrap();
        assert_eq!(said.matches(" created (server dry run)").count(), objects, "{values:?}: {said}");
    }
}

#[tokio::test]
async fn the_dry_run_would_show_a_wrong_field_and_a_pod_that_is_not_restricted() {
    let plane = start(Options::default()).await;
    let rendered = helm(&plane, "template", &[]).unwrap();
    let misspelt = rendered.replace("readinessProbe:", "readynessProbe:");
    let said = dry_run(&plane, &misspelt).unwrap_err();
    assert!(said.contains("unknown field") && said.contains("readynessProbe"), "{said}");
    let root = rendered.replace("runAsNonRoot: true", "runAsNonRoot: false");
    let said = dry_run(&plane, &root).unwrap_err();
    assert!(said.contains("would violate PodSecurity \"restricted"), "{said}");
}

#[tokio::test]
async fn values_that_mean_nothing_are_refused() {
    let plane = start(Options::default()).await;
    for (wrong, named) in [
        ("replicas=none", "/replicas"),
        ("imagee.tag=1", "imagee"),
        ("image.digest=latest", "/image/digest"),
        ("workloadIdentity.clientId=me", "/workloadIdentity/clientId"),
    ] {
        let said = helm(&plane, "template", &["--set", wrong]).unwrap_err();
        assert!(said.contains(named), "{wrong}: {said}");
    }
    let said = helm(&plane, "template", &["--set", "serviceAccount.create=false"]).unwrap_err();
    assert!(said.contains("serviceAccount.name is needed"), "{said}");
}

const WORKSPACE: &str = r"
apiVersion: azureml.dev/v1alpha1
kind: MLWorkspace
metadata: {name: kept, namespace: default}
spec:
  subscriptionId: 00000000-0000-0000-0000-000000000000
  resourceGroup: rg-ml
  workspaceName: mlw-team-a
";

#[tokio::test]
async fn it_is_installed_upgraded_and_removed_and_the_crds_with_their_objects_stay() {
    let plane = start(Options::default()).await;
    let get = |arguments: &[&str]| {
        output(plane.kubectl().args(["--namespace", NAMESPACE, "get", "--ignore-not-found"]).args(arguments))
            .unwrap()
    };
    let replicas = ["deployment", ACCOUNT, "--output=jsonpath={.spec.replicas}"];

    helm(&plane, "install", &[]).unwrap();
    assert_eq!(get(&replicas), "2");
    output(plane.kubectl().args(["wait", "crd", "--all", "--for=condition=Established"])).unwrap();
    let file = plane.state().join("workspace.yaml");
    fs::write(&file, WORKSPACE).unwrap();
    output(plane.kubectl().args(["apply", "--validate=strict", "-f"]).arg(&file)).unwrap();

    helm(&plane, "upgrade", &["--set", "replicas=3"]).unwrap();
    assert_eq!(get(&replicas), "3");

    let said = helm(&plane, "uninstall", &[]).unwrap();
    assert!(said.contains("mlworkspaces.azureml.dev"), "it says what is kept: {said}");
    assert_eq!(
        get(&[
            "deployment,serviceaccount,role,clusterrole,configmap",
            "--output=name",
            "--selector",
            "app.kubernetes.io/name=azureml-operator"
        ]),
        ""
    );
    assert!(output(plane.kubectl().args(["get", "mlworkspace", "kept"])).is_ok());

    helm(&plane, "install", &["--set", "crds.install=true"]).unwrap();
    assert_eq!(get(&replicas), "2");
}

/// Whether the controller's account may do something in a namespace.
fn may(plane: &ControlPlane, verb: &str, (what, namespace): (&str, &str)) -> bool {
    let account = format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}");
    let mut kubectl = plane.kubectl();
    kubectl.args(["auth", "can-i", verb, what, "--as", &account, "--namespace", namespace]);
    output(&mut kubectl).is_ok_and(|said| said.trim() == "yes")
}

#[tokio::test]
async fn the_controllers_account_may_do_what_it_does_and_nothing_else() {
    let plane = start(Options::default()).await;
    helm(&plane, "install", &[]).unwrap();
    let may = |verb: &str, what: &str, namespace: &str| may(&plane, verb, (what, namespace));
    let with_files = ["mlpipelines", "mlenvironments", "mldata"].map(|name| format!("{name}.azureml.dev"));
    for kind in kinds() {
        for verb in ["list", "watch", "patch"] {
            assert!(may(verb, &kind, "default"), "{verb} {kind}");
        }
        assert!(may("patch", &format!("{kind}/status"), "default"), "patch {kind}/status");
        for verb in ["update", "deletecollection"] {
            assert!(!may(verb, &kind, "default"), "{verb} {kind}");
        }
        assert_eq!(may("get", &kind, "default"), with_files.contains(&kind), "get {kind}");
        for verb in ["create", "delete"] {
            assert_eq!(may(verb, &kind, "default"), kind == "mlruns.azureml.dev", "{verb} {kind}");
        }
    }
    assert!(may("get", "secrets", "default") && !may("list", "secrets", "default"));
    for verb in ["get", "list", "watch"] {
        assert!(may(verb, "configmaps", "default"), "{verb} configmaps");
    }
    assert!(!may("update", "configmaps", "default"));
    assert!(may("create", "events.events.k8s.io", "default"));
    assert!(may("get", "namespaces/kube-system", "") && !may("get", "namespaces/default", ""));
    let lease = "leases.coordination.k8s.io/azureml-operator";
    assert!(may("update", lease, NAMESPACE) && !may("update", lease, "default"));
    assert!(may("create", "leases.coordination.k8s.io", NAMESPACE));
    assert!(!may("update", "leases.coordination.k8s.io", NAMESPACE), "of others");

    helm(&plane, "upgrade", &["--set", "rbac.readSecrets=false,rbac.readConfigMaps=false"]).unwrap();
    assert!(!may("get", "secrets", "default") && !may("get", "configmaps", "default"));
    assert!(!may("list", "configmaps", "default"));
}

/// A definition of Flux that says its name alone: kubectl asks for the rights of kinds that are served.
fn of_flux(plural: &str) -> CustomResourceDefinition {
    let (group, kind) = ("source.toolkit.fluxcd.io", plural.to_uppercase());
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}});
    let names = json!({"kind": kind, "plural": plural, "singular": kind.to_lowercase()});
    let spec = json!({"group": group, "scope": "Namespaced", "names": names, "versions": [version]});
    serde_json::from_value(json!({"metadata": {"name": format!("{plural}.{group}")}, "spec": spec})).unwrap()
}

#[tokio::test]
async fn the_controllers_account_reads_the_sources_of_flux_where_the_chart_says_so() {
    let plane = start(Options::default()).await;
    let plurals = ["gitrepositories", "ocirepositories", "buckets", "externalartifacts"];
    plane.install(&plurals.map(of_flux)).await.unwrap();
    let may = |verb: &str, plural: &str| {
        may(&plane, verb, (&format!("{plural}.source.toolkit.fluxcd.io"), "default"))
    };
    helm(&plane, "install", &[]).unwrap();
    for plural in plurals {
        assert!(["get", "list", "watch"].iter().all(|verb| may(verb, plural)), "{plural}");
        assert!(["patch", "create", "delete"].iter().all(|verb| !may(verb, plural)), "{plural}");
    }
    helm(&plane, "upgrade", &["--set", "rbac.readFluxSources=false"]).unwrap();
    assert!(!may("get", "gitrepositories") && !may("watch", "buckets"));
}

/// The plural names of the kinds, with their group, as the chart's CRDs say them.
fn kinds() -> Vec<String> {
    let crds = crds::read(chart().join("files/crds")).unwrap();
    assert!(!crds.is_empty());
    crds.into_iter().map(|crd| crd.metadata.name.unwrap()).collect()
}
