//! The chart over time and among people: CRDs that change under objects, and who may do what with the kinds.
use crate::support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use azureml_control_plane::{ControlPlane, Options};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::Value;
use support::{crate_file, output};

const PATIENCE: Duration = Duration::from_mins(4);
const NAMESPACE: &str = "azureml-system";
const KINDS: [&str; 7] =
    ["mlworkspaces", "mlcomputes", "mlenvironments", "mldata", "mlpipelines", "mlschedules", "mlruns"];

fn chart() -> PathBuf {
    crate_file("../../charts/azureml-operator")
}

async fn start() -> ControlPlane {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    output(plane.kubectl().args(["create", "namespace", NAMESPACE])).unwrap();
    plane
}

fn helm(plane: &ControlPlane, arguments: &[&str]) -> Result<String, String> {
    output(plane.helm().unwrap().args(arguments).args(["--namespace", NAMESPACE]))
}

/// The release before this one, as far as objects can tell: its MLCompute knew no `tags`, and its MLPipeline had
/// a field that is gone.
fn earlier(folder: &Path) -> PathBuf {
    let copy = folder.join("azureml-operator");
    output(Command::new("cp").arg("-r").arg(chart()).arg(&copy)).unwrap();
    let metadata = fs::read_to_string(copy.join("Chart.yaml")).unwrap();
    let version = format!("version: {}", env!("CARGO_PKG_VERSION"));
    fs::write(copy.join("Chart.yaml"), metadata.replacen(&version, "version: 0.0.9", 1)).unwrap();
    let change = |kind: &str, how: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let file = copy.join(format!("files/crds/{kind}.yaml"));
        let mut crd: Value = serde_saphyr::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
        how(crd.pointer_mut(spec).unwrap().as_object_mut().unwrap());
        fs::write(file, crd.to_string()).unwrap();
    };
    change("mlcomputes", &|fields| assert!(fields.remove("tags").is_some()));
    change("mlpipelines", &|fields| {
        fields.insert("before".into(), serde_json::json!({"type": "string"}));
    });
    copy
}

fn compute(name: &str, more: &str) -> String {
    format!(
        "---\napiVersion: azureml.dev/v1alpha1\nkind: MLCompute\nmetadata: {{name: {name}, finalizers: [azureml.dev/finalizer]}}\n\
         spec: {{workspaceRef: {{name: team-a}}, vmSize: Standard_DS3_v2, scale: {{max: 4}}{more}}}\n"
    )
}

/// One with the field that is gone.
fn pipeline(name: &str) -> String {
    format!(
        "---\napiVersion: azureml.dev/v1alpha1\nkind: MLPipeline\nmetadata: {{name: {name}, finalizers: [azureml.dev/finalizer]}}\n\
         spec: {{workspaceRef: {{name: team-a}}, before: x, defaults: {{compute: {{ref: cpu}}, environment: {{ref: image}}}}, \
         steps: [{{name: only, command: 'true'}}]}}\n"
    )
}

fn apply(plane: &ControlPlane, manifests: &str) -> Result<String, String> {
    let file = plane.state().join("objects.yaml");
    fs::write(&file, manifests).unwrap();
    output(plane.kubectl().args(["apply", "--validate=strict", "-f"]).arg(&file))
}

/// An object as the API server shows it.
fn object(plane: &ControlPlane, name: &str) -> Value {
    let text = output(plane.kubectl().args(["get", name, "--output=json"])).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The same without the field that is gone, which the later definitions do not show.
fn without(object: &Value) -> Value {
    let mut object = object.clone();
    assert!(object["spec"].as_object_mut().unwrap().remove("before").is_some(), "{object}");
    object
}

/// Waits until the API server judges by the definitions that it has now.
fn served(plane: &ControlPlane, knows_the_field: bool) {
    output(plane.kubectl().args(["wait", "crd", "--all", "--for=condition=Established"])).unwrap();
    let until = Instant::now() + PATIENCE;
    let manifest = compute("never", ", tags: {team: a}");
    let file = plane.state().join("never.yaml");
    fs::write(&file, manifest).unwrap();
    let kubectl =
        || output(plane.kubectl().args(["create", "--dry-run=server", "--validate=strict", "-f"]).arg(&file));
    while kubectl().is_ok() != knows_the_field {
        assert!(Instant::now() < until, "the CRDs are not served: {:?}", kubectl());
    }
}

/// Objects, and what they are to be shown as.
type Shown = [(&'static str, Value); 3];

fn are_there(plane: &ControlPlane, all: &Shown, when: &str) {
    for (name, as_it_was) in all {
        assert_eq!(object(plane, name), *as_it_was, "{name} {when}");
    }
}

#[tokio::test]
async fn objects_outlive_an_upgrade_and_a_downgrade_of_the_definitions() {
    let plane = start().await;
    let folder = tempfile::tempdir().unwrap();
    let (earlier, chart) = (earlier(folder.path()), chart());
    let (earlier, chart) = (earlier.to_str().unwrap(), chart.to_str().unwrap());
    let all = up_and_down(&plane, earlier, chart);
    handed_over_and_back(&plane, chart, &all);

    // Removed and installed again by another release: the same objects, waiting for a controller.
    helm(&plane, &["uninstall", "azureml-operator"]).unwrap();
    are_there(&plane, &all, "after the removal");
    helm(&plane, &["install", "azureml-operator", chart]).unwrap();
    are_there(&plane, &all, "after another installation");
}

fn up_and_down(plane: &ControlPlane, earlier: &str, chart: &str) -> Shown {
    helm(plane, &["install", "azureml-operator", earlier]).unwrap();
    served(plane, false);
    apply(plane, &(compute("old", "") + &pipeline("old"))).unwrap();
    let [old, with] = ["mlcompute/old", "mlpipeline/old"].map(|name| object(plane, name));

    helm(plane, &["upgrade", "azureml-operator", chart]).unwrap();
    served(plane, true);
    assert_eq!(object(plane, "mlcompute/old"), old, "after the upgrade");
    assert_eq!(object(plane, "mlpipeline/old"), without(&with), "after the upgrade");
    apply(plane, &compute("new", ", tags: {team: a}")).unwrap();
    let new = object(plane, "mlcompute/new");

    // Down by Helm's own way: what the earlier definitions do not know is not shown, and kept until somebody writes.
    helm(plane, &["rollback", "azureml-operator", "1"]).unwrap();
    served(plane, false);
    assert_eq!(object(plane, "mlcompute/old"), old, "after the downgrade");
    assert_eq!(object(plane, "mlpipeline/old"), with, "after the downgrade");
    let shown = object(plane, "mlcompute/new");
    assert_eq!(shown["metadata"]["uid"], new["metadata"]["uid"]);
    assert_eq!(shown["spec"]["scale"], new["spec"]["scale"]);
    assert!(shown["spec"].get("tags").is_none(), "{shown}");

    helm(plane, &["upgrade", "azureml-operator", chart]).unwrap();
    served(plane, true);
    let all = [("mlcompute/old", old), ("mlcompute/new", new), ("mlpipeline/old", without(&with))];
    are_there(plane, &all, "after the second upgrade");
    all
}

/// The definitions are left to somebody else, and taken back: Helm leaves them where they are.
fn handed_over_and_back(plane: &ControlPlane, chart: &str, all: &Shown) {
    let definitions = || output(plane.kubectl().args(["get", "crd", "--output=name"])).unwrap();
    let before = definitions();
    assert_eq!(before.matches(".azureml.dev\n").count(), KINDS.len(), "{before}");
    for set in ["crds.install=false", "crds.install=true"] {
        helm(plane, &["upgrade", "azureml-operator", chart, "--set", set]).unwrap();
        assert_eq!(definitions(), before, "with {set}");
        served(plane, true);
        are_there(plane, all, &format!("with {set}"));
    }
}

/// What a role of the cluster lets people do with the kinds: every kind, with the verbs of view or of edit.
async fn table(kube: &Client, user: &str) -> Vec<String> {
    let mut may = Vec::new();
    for kind in KINDS {
        for (word, verbs) in [
            ("reads", ["get", "list", "watch"].as_slice()),
            ("changes", &["create", "update", "patch", "delete", "deletecollection"]),
        ] {
            let answers = answers(kube, user, verbs, kind).await;
            assert!(
                answers.iter().all(|answer| *answer == answers[0]),
                "{user} {kind} {verbs:?} {answers:?}"
            );
            if answers[0] {
                may.push(format!("{word} {kind}"));
            }
        }
    }
    may
}

/// Waits until the controller that gathers roles has seen the chart's.
async fn gathered(kube: &Client) {
    let until = Instant::now() + PATIENCE;
    for (user, verb, kind) in
        [("view", "get", "mlruns"), ("edit", "create", "mlruns"), ("admin", "create", "mlcomputes")]
    {
        while !can(kube, user, verb, kind).await {
            assert!(Instant::now() < until, "the role {user} is not gathered");
        }
    }
}

async fn answers(kube: &Client, user: &str, verbs: &[&str], kind: &str) -> Vec<bool> {
    let mut answers = Vec::new();
    for verb in verbs {
        answers.push(can(kube, user, verb, kind).await);
    }
    answers
}

/// A `SubjectAccessReview`.
async fn can(kube: &Client, user: &str, verb: &str, kind: &str) -> bool {
    let attributes = ResourceAttributes {
        namespace: Some("team-a".into()),
        group: Some("azureml.dev".into()),
        resource: Some(kind.into()),
        verb: Some(verb.into()),
        ..ResourceAttributes::default()
    };
    let spec = SubjectAccessReviewSpec {
        user: Some(user.into()),
        resource_attributes: Some(attributes),
        ..SubjectAccessReviewSpec::default()
    };
    let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
    let answer = Api::all(kube.clone()).create(&PostParams::default(), &review).await.unwrap();
    answer.status.unwrap().allowed
}

#[tokio::test]
async fn who_views_edits_or_administrates_a_namespace_may_do_so_with_the_kinds() {
    let plane = start().await;
    helm(&plane, &["install", "azureml-operator", chart().to_str().unwrap()]).unwrap();
    served(&plane, true);
    output(plane.kubectl().args(["create", "namespace", "team-a"])).unwrap();
    for role in ["view", "edit", "admin"] {
        let binding =
            ["create", "rolebinding", role, "--namespace", "team-a", "--clusterrole", role, "--user", role];
        output(plane.kubectl().args(binding)).unwrap();
    }
    let kube = plane.client().await.unwrap();
    gathered(&kube).await;
    let all = KINDS;
    let with = |changed: &[&str]| -> Vec<String> {
        let of_kind = |kind: &&str| {
            let changes = changed.contains(kind).then(|| format!("changes {kind}"));
            [Some(format!("reads {kind}")), changes].into_iter().flatten().collect::<Vec<_>>()
        };
        all.iter().flat_map(of_kind).collect()
    };
    assert_eq!(table(&kube, "view").await, with(&[]));
    assert_eq!(
        table(&kube, "edit").await,
        with(&["mlenvironments", "mldata", "mlpipelines", "mlschedules", "mlruns"])
    );
    assert_eq!(table(&kube, "admin").await, with(&all));
    assert_eq!(table(&kube, "nobody").await, [""; 0]);
    a_data_scientist_applies_the_example(&plane);

    helm(
        &plane,
        &["upgrade", "azureml-operator", chart().to_str().unwrap(), "--set", "rbac.userRoles=false"],
    )
    .unwrap();
    let left = output(plane.kubectl().args(["get", "clusterroles", "--output=name"])).unwrap();
    assert!(!left.contains("azureml-operator-"), "{left}");
}

/// By certificate, as people come: everything of the example but the clusters and the workspace.
fn a_data_scientist_applies_the_example(plane: &ControlPlane) {
    let scientist = plane.user("edit", &[]).unwrap();
    let apply = |file: &str| {
        let mut kubectl = plane.kubectl();
        kubectl.env("KUBECONFIG", &scientist.kubeconfig);
        kubectl.args(["apply", "--namespace", "team-a", "-f"]);
        output(kubectl.arg(crate_file(&format!("../../examples/r-gbm/{file}.yaml"))))
    };
    for file in ["environment", "pipeline", "schedule"] {
        apply(file).unwrap();
    }
    for file in ["computes", "workspace"] {
        let refused = apply(file).unwrap_err();
        assert!(refused.contains("Forbidden") || refused.contains("forbidden"), "{file}: {refused}");
    }
}
